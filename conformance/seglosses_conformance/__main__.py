"""`python -m seglosses_conformance`"""

import sys

from seglosses_conformance.cli import main

if __name__ == "__main__":
    sys.exit(main())

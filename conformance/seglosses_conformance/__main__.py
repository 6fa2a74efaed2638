"""`python -m seglosses_conformance`, also installed as `seglosses-conformance`."""

import sys
from collections.abc import Sequence

from seglosses_core.extras import missing


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; without what the extra brings, a message says how to install it."""
    try:
        from seglosses_conformance.cli import main
    except ModuleNotFoundError as error:
        name = (error.name or "seglosses").partition(".")[0]
        if name.startswith("seglosses"):
            raise
        print(missing("seglosses-conformance", name, "conformance"), file=sys.stderr)
        return 1
    return main(arguments)


if __name__ == "__main__":
    sys.exit(main())

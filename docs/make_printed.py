"""What an example prints whose library is too much for the site's environment: python docs/make_printed.py

For an environment that has nnunetv2 beside what examples/nnunet_trainer.py needs. Writes tutorials/nnunet.txt, with the
day and the releases; nnU-Net's own lines are left out.
"""

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).parent
COMMAND = ("examples/nnunet_trainer.py", "--epochs", "4", "--iterations", "10")


def main() -> None:
    done = subprocess.run(
        [sys.executable, *COMMAND], cwd=DOCS.parent, stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line.endswith(" in the end")]
    releases = ", ".join(f"{name} {version(name).partition('+')[0]}" for name in ("nnunetv2", "torch"))
    when = f"# {datetime.now(UTC):%Y-%m-%d}, {releases}, Python {platform.python_version()}"
    text = "\n".join([when, f"$ python {' '.join(COMMAND)}", *lines]) + "\n"
    (DOCS / "tutorials" / "nnunet.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

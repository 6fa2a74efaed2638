"""What an error says where an extra of the distribution is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Around imports that need what an extra brings: without the module of its name, the error names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise missing(f"seglosses_{name}", name, name) from None


def missing(package: str, module: str, extra: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f'{package} needs {module}, which is not installed: pip install "seglosses[{extra}]"', name=module
    )

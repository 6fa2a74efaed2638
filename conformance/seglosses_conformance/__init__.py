"""Cases, an independent oracle and a runner: do all frameworks compute the losses that the papers define?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seglosses_conformance.calling import conform as conform

__all__ = ["conform"]


def __getattr__(name: str) -> Any:
    """`conform`, with what it needs beside the core: the command itself says what to install where that is missing."""
    if name in __all__:
        from seglosses_conformance import calling

        return getattr(calling, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

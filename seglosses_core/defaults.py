"""The public functions as an adapter offers them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def with_defaults(function: Callable[..., Any], **defaults: Any) -> Callable[..., Any]:
    """`function` with these defaults for those of its parameters that are named so: itself where it has them."""
    parameters = inspect.signature(function).parameters
    own = {k: x for k, x in defaults.items() if k in parameters and parameters[k].default != x}
    return functools.partial(function, **own) if own else function

"""A library that refuses whatever a tracer could not do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import array_api_strict


@contextlib.contextmanager
def traceable() -> Iterator[None]:
    """array-api-strict with everything refused that a tracer could not do."""

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("A value was looked at or an entry was set: this does not trace.")

    names = ("bool", "float", "int", "complex", "index", "setitem", "array", "iter")
    array_class = type(array_api_strict.asarray(0.0))
    flags = array_api_strict.get_array_api_strict_flags()
    array_api_strict.set_array_api_strict_flags(
        api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    )
    try:
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(mock.patch.object(array_class, f"__{name}__", refuse, create=True))
            yield
    finally:
        array_api_strict.set_array_api_strict_flags(**flags)

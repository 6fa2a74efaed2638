"""What the suite needs of an array library, and what it calls with its arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from seglosses_conformance.checks import PER_IMAGE

Array = Any
Function = Callable[..., Any]
"""`function(logits, target, **arrays) -> value`."""


class Unavailable(Exception):
    """The device that was asked for is not there."""


class Unsupported(Exception):
    """The target cannot take this case, for the reason given; that is no failure."""


@dataclass
class Call:
    """One function and the arrays that it is called with."""

    function: Function
    arrays: dict[str, Array]
    """By the name of the argument."""
    wrt: list[str]
    """The arguments to differentiate with respect to; none where only the value is wanted."""
    class_axis: int
    upstream: Array = 1.0
    """What the value is multiplied by before its sum is differentiated."""

    def __call__(self, **replaced: Array) -> Array:
        return self.function(**{**self.arrays, **replaced})


@dataclass
class Evaluation:
    """What came out of one function at one input, still in the library's arrays."""

    values: list[Array]
    """The value, once for each way of calling that must give the same one."""
    gradients: dict[str, Array]
    """By the name of the input."""
    remark: str = ""
    """What there is to say of results that are right: that they came with help."""


class Framework:
    """What the suite needs of an array library; a subclass says how."""

    library: ClassVar[str]
    native_axis: ClassVar[int] = 1
    ways: ClassVar[tuple[str, ...]] = ()
    """The ways of calling, beside the plain one, that make sense in this library."""
    autodiff: ClassVar[bool] = True
    overwritable: ClassVar[bool] = True
    """Whether a function could change the arrays that it is given."""

    def __init__(self, device: str = "cpu") -> None:
        if device != "cpu":
            raise Unavailable(f"{self.library} runs on the CPU only")

    def session(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """The settings that computing in `dtype` needs."""
        return contextlib.nullcontext()

    def array(self, values: np.ndarray, dtype: str) -> Array:
        raise NotImplementedError

    def numpy(self, array: Array) -> np.ndarray:
        """As float64 NumPy array, whatever the dtype was."""
        raise NotImplementedError

    def evaluate(self, call: Call) -> Evaluation:
        """The value, and the gradient of the sum of the value times what comes from upstream."""
        raise NotImplementedError

    def laid_out(self, array: Array, layout: str) -> Array:
        """An array of the same numbers in another of `ways.LAYOUTS`."""
        raise NotImplementedError

    def backward_twice(self, call: Call) -> Evaluation:
        """The mean of the gradients of two walks back over one graph."""
        raise NotImplementedError

    def joined(self, arrays: list[Array]) -> Array:
        """Arrays one after the other along their first axis."""
        raise NotImplementedError

    def shards(self, call: Call) -> Evaluation:
        """The same from the statistics of two parts of the batch, and the share of the gradient that each has."""
        parts = [
            {name: x[cut] if name in PER_IMAGE else x for name, x in call.arrays.items()}
            for cut in (slice(0, 1), slice(1, None))
        ]
        try:
            totals = sum(call.function.statistics(**part) for part in parts)  # type: ignore[attr-defined]
        except (TypeError, ValueError) as reason:
            raise Unsupported(f"no sums of parts: {reason}") from reason
        found = [self.evaluate(replace(call, arrays={**part, "totals": totals})) for part in parts]
        gradients = {name: self.joined([one.gradients[name] for one in found]) for name in call.wrt}
        return Evaluation([value for one in found for value in one.values], gradients)

    def compiled(self, call: Call) -> Evaluation:
        """The same under the library's compiler."""
        raise NotImplementedError

    def curvature(self, call: Call, direction: Array) -> Array:
        """The derivative of the gradient with respect to the logits, along `direction`."""
        raise NotImplementedError

    def environment(self) -> dict[str, Any]:
        """Settings that may change a result, for the report."""
        return {}

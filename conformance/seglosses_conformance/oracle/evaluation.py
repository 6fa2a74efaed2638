"""The value, the gradient and the scale of a loss, each exact to the last digit of a float."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log, nan
from typing import TYPE_CHECKING, Any

from mpmath import mp, mpf

from .problem import NoNumberError, Problem, nest
from .tape import gradient, plain

if TYPE_CHECKING:
    from ..entries import Entry


@dataclass(frozen=True)
class Expected:
    """What a loss must give: floats, or nested lists of them. No gradient for a NaN value; that of a map is the one of
    its sum, each element multiplied by its `upstream`."""

    value: Any
    gradient: Any
    scale: Any
    feature_gradient: Any = None


def entry_of(loss_name: str) -> Entry:
    """The entry of a loss, which holds its oracle."""
    from ..losses import ENTRIES  # not above: the entries are written with this package

    return ENTRIES[loss_name]


def evaluate(
    loss_name: str,
    hyperparameters: dict[str, Any],
    logits: Any,
    target: Any,
    mask: Any = None,
    sample_weight: Any = None,
    centers: Any = None,
    features: Any = None,
    instances: Any = None,
    *,
    with_gradient: bool = True,
    absolute: bool = False,
) -> Expected:
    """Value, gradient and scale of a loss. Arrays: nested lists, class axis 1; hyper-parameters: as in a case file.

    If `absolute` each element of a gradient is the sum of the absolute terms that autodiff makes it of.
    """
    entry = entry_of(loss_name)
    problem = Problem(logits, target, mask, sample_weight, centers, features, instances)
    with mp.workdps(digits(problem, entry.stretch)):
        try:
            value, shape, scale = entry.oracle(problem, **hyperparameters)
        except NoNumberError:
            return Expected(nan, None, nan)
        is_map = bool(shape) or isinstance(value, list)
        slopes = feature_slopes = None
        if with_gradient:
            total = sum((v * upstream(k) for k, v in enumerate(value)), mpf(0)) if is_map else value
            slopes = nest(problem.shape, _floats(gradient(total, problem.logits, absolute=absolute)))
            if features is not None:
                found = gradient(total, problem.features, absolute=absolute)
                feature_slopes = nest(problem.features_shape, _floats(found))
        if is_map:
            value, scale = (nest(shape, [float(plain(v)) for v in part]) for part in (value, scale))
        else:
            value, scale = float(plain(value)), float(scale)
        return Expected(value, slopes, scale, feature_slopes)


def _floats(numbers: list[Any]) -> list[float]:
    return [float(number) for number in numbers]


def upstream(k: int) -> Any:
    """What element k of a map, in C order, is multiplied by before their sum is differentiated: −¾, −¼, ¼, ¾, 1¼, …"""
    return mpf(k % 5) / 2 - mpf(3) / 4


def digits(problem: Problem, stretch: float) -> int:
    """50 digits beyond those that 1 − p loses when p is within e^−(largest logit difference) of 1."""
    finite = [float(z.value) for z in problem.logits if isfinite(z.value)]
    spread = max(finite, default=0) - min(finite, default=0)
    spread = max(spread, max(map(abs, finite), default=0))  # sigmoid(z) is softmax(z, 0)
    return 50 + int(stretch * spread / log(10))

"""Faults that are seeded into a loss. The cases have to find them, as they have to find a wrong implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

ValueFault = Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]]
"""From a loss and its arguments to those that a wrong implementation would in effect use."""

GradientFault = Callable[[np.ndarray], np.ndarray]
"""From a gradient to a wrong one."""


def other(**changes: Any) -> ValueFault:
    """Other hyper-parameters, or a missing ε: `other(smooth=0.0)`."""

    def fault(loss: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return replace(loss, **changes), arguments

    return fault


def without(name: str) -> ValueFault:
    """A dropped weight."""

    def fault(loss: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if name in arguments:
            return loss, {**arguments, name: None}
        return replace(loss, **{name: None}), arguments

    return fault


def wrong_order(loss: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The images of the batch in another order than their targets."""
    return loss, {**arguments, "logits": arguments["logits"][::-1]}

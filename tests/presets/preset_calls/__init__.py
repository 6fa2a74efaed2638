"""What was asked of the losses of other libraries, each in a file of its own.

Weights neither sum to their number nor are equal.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

W = [1.0, 2.0, 3.0, 0.5]
FOREGROUND = W[1:]


@dataclass(frozen=True)
class Call:
    """A loss, its arguments, and what it is given."""

    name: str
    arguments: dict[str, Any]
    inputs: str
    target_axis: bool = False
    """Whether labels have an axis of length 1 for the classes."""
    dtype: str = "float64"
    """Of the logits."""
    softmax: bool = False
    """Whether the loss is given their softmax."""
    gradient_alone: bool = False
    """Whether the value is another here, which the page about presets says."""
    call: dict[str, Any] = field(default_factory=dict)
    """What it is called with beside logits and target; arrays by their names in `FURTHER`."""


def asked(peer: str) -> ModuleType:
    """The file of a library: `calls()`, and `MODULES`, where it is installed; with `CLASSES_LAST`, `TARGET_FIRST` and
    `IN_JAX` where its arrays are so."""
    return importlib.import_module(f"preset_calls.{peer}")

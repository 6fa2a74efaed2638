"""One class per array library: how it makes arrays, and how its own autodiff gives a value and a gradient, plainly and
in the other ways that `ways.py` lists.

Libraries are imported when a class is used, never before: each process of the suite imports only what it runs.
"""

from seglosses_conformance.frameworks.base import (
    Array,
    Call,
    Evaluation,
    Framework,
    Function,
    Unavailable,
    Unsupported,
)
from seglosses_conformance.frameworks.with_jax import Jax
from seglosses_conformance.frameworks.with_numpy import CuPy, NumPy, Strict
from seglosses_conformance.frameworks.with_tensorflow import TensorFlow
from seglosses_conformance.frameworks.with_torch import Torch

__all__ = [
    "Array", "Call", "CuPy", "Evaluation", "Framework", "Function", "Jax", "NumPy", "Strict", "TensorFlow", "Torch",
    "Unavailable", "Unsupported",
]  # fmt: skip

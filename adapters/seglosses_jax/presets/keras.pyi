"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

from seglosses_jax.presets import PresetLoss

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "Dice",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "dice",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
    "tversky",
]

def CategoricalCrossentropy(
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_crossentropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """CategoricalCrossentropy of Keras.

    It is called with y_pred, y_true.
    """

def categorical_crossentropy(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    class_axis: int = -1,
) -> Array:
    """categorical_crossentropy of Keras."""

def SparseCategoricalCrossentropy(
    from_logits: bool = False,
    ignore_class: int | None = None,
    reduction: str | None = "sum_over_batch_size",
    axis: int = -1,
    name: str = "sparse_categorical_crossentropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """SparseCategoricalCrossentropy of Keras.

    It is called with y_pred, y_true.
    """

def sparse_categorical_crossentropy(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    *,
    class_axis: int = -1,
) -> Array:
    """sparse_categorical_crossentropy of Keras."""

def CategoricalFocalCrossentropy(
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_focal_crossentropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """CategoricalFocalCrossentropy of Keras.

    It is called with y_pred, y_true.
    """

def categorical_focal_crossentropy(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    class_axis: int = -1,
) -> Array:
    """categorical_focal_crossentropy of Keras."""

def BinaryCrossentropy(
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "binary_crossentropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BinaryCrossentropy of Keras.

    It is called with y_pred, y_true.
    """

def binary_crossentropy(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    class_axis: int = -1,
) -> Array:
    """binary_crossentropy of Keras."""

def BinaryFocalCrossentropy(
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "binary_focal_crossentropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BinaryFocalCrossentropy of Keras.

    It is called with y_pred, y_true.
    """

def binary_focal_crossentropy(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    class_axis: int = -1,
) -> Array:
    """binary_focal_crossentropy of Keras."""

def MeanSquaredError(
    reduction: str | None = "sum_over_batch_size",
    name: str = "mean_squared_error",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """MeanSquaredError of Keras.

    It is called with y_pred, y_true.
    """

def mean_squared_error(y_true: Array | ndarray, y_pred: Array | ndarray, *, class_axis: int = -1) -> Array:
    """mean_squared_error of Keras."""

def CategoricalGeneralizedCrossEntropy(
    q: float = 0.5,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_generalized_cross_entropy",
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """CategoricalGeneralizedCrossEntropy of Keras.

    It is called with y_pred, y_true.
    """

def categorical_generalized_cross_entropy(
    y_true: Array | ndarray, y_pred: Array | ndarray, q: float, *, class_axis: int = -1
) -> Array:
    """categorical_generalized_cross_entropy of Keras."""

def Dice(
    reduction: str | None = "sum_over_batch_size",
    name: str = "dice",
    axis: Any = None,
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """Dice of Keras.

    It is called with y_pred, y_true.
    """

def dice(
    y_true: Array | ndarray, y_pred: Array | ndarray, axis: Any = None, *, class_axis: int = -1
) -> Array:
    """dice of Keras."""

def Tversky(
    alpha: float = 0.5,
    beta: float = 0.5,
    reduction: str | None = "sum_over_batch_size",
    name: str = "tversky",
    axis: Any = None,
    dtype: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """Tversky of Keras.

    It is called with y_pred, y_true.
    """

def tversky(
    y_true: Array | ndarray,
    y_pred: Array | ndarray,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Any = None,
    *,
    class_axis: int = -1,
) -> Array:
    """tversky of Keras."""

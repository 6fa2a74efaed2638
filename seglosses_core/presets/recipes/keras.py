"""The losses of Keras itself."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse

preset = Library(
    "keras",
    "Keras",
    "3.15.1",
    ("y_pred", "y_true"),
    "Losses are called as others of the package are: with `(y_true, y_pred)` in seglosses_keras, with logits and target"
    " in the other packages. Functions have Keras' order everywhere.",
    "`axis` of Dice and Tversky counts the axes of arrays whose classes are last, whatever `class_axis` is.",
    "The categorical losses divide probabilities by their sum there; here they are taken to sum to 1. After a softmax"
    " value and gradient of its logits are the same.",
    "The focal losses with from_logits=True clip probabilities to [1e-7, 1 − 1e-7]; here they are exact, and so is the"
    " gradient.",
    "BinaryFocalCrossentropy of a probability below 1e-7 or above 1 − 1e-7 has a gradient there, and none here.",
    "CategoricalCrossentropy of a pixel whose target is 0 for all classes is 0 here, with label_smoothing too; with"
    " reduction='mean_with_sample_weight' a pixel counts for what its target sums to.",
    "CategoricalGeneralizedCrossEntropy broadcasts labels (N, H, W, 1) there; here they are labels (N, H, W).",
    "In seglosses_keras Dice and Tversky refuse a sample_weight, which there multiplies the whole number.",
    target_first=True,
)

EPSILON = 1e-7
"""`keras.config.epsilon()`, unless it is changed."""


def core_reduction(reduction: str | None, dtype: Any) -> str:
    refuse(dtype is not None, "dtype", dtype, "that of the logits decides")
    if reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
        return "mean"
    return "none" if reduction is None else reduction


def _last(axis: int) -> None:
    refuse(axis != -1, "axis", axis, "pass class_axis=")


def _of_classes(
    loss: str, from_logits: bool, reduction: str | None, dtype: Any, target: str = "classes", **options: Any
) -> Recipe:
    """A loss of exclusive classes."""
    if not from_logits:
        options = {"clip": EPSILON, **options}
    if target == "classes" and reduction != "mean_with_sample_weight":
        # What a pixel counts for does not depend on what its target sums to.
        options["divisor"] = "valid"

    def terms(sizes: Sizes) -> list[Term]:
        if sizes.classes == 1:
            raise ValueError(
                "y_pred must have at least two classes, got one: take the binary loss of that name."
            )
        return [Term(1.0, loss, options)]

    return Recipe(
        terms=terms,
        activation="softmax" if from_logits else "identity",
        target=target,
        ignore_index=options.get("ignore_index"),
        reduction=core_reduction(reduction, dtype),
        takes_sample_weight=True,
    )


def _of_entries(loss: str, activation: str, reduction: str, **options: Any) -> Recipe:
    """A loss of the classes of each pixel, of which there is a mean."""
    return Recipe(
        terms=lambda sizes: [Term(1 / sizes.classes if reduction == "sum" else 1.0, loss, options)],
        activation=activation,
        target="classes",
        reduction=reduction,
        averages_classes=True,
        takes_sample_weight=True,
    )


def _binary(loss: str, from_logits: bool, axis: int, reduction: str, **options: Any) -> Recipe:
    _last(axis)
    if from_logits:
        return _of_entries(loss, "sigmoid", reduction, **options)
    return _of_entries(loss, "identity", reduction, clip=EPSILON, overlapping=True, **options)


def _region(axis: Any, reduction: str, loss: str, **options: Any) -> Recipe:
    """A loss of sums over these axes; None for all."""
    given = (axis,) if isinstance(axis, int) else axis

    def terms(sizes: Sizes) -> list[Term]:
        rank = sizes.axes
        added = set(range(rank)) if given is None else {a % rank for a in given}
        refuse(
            not set(range(1, rank - 1)) <= added,
            "axis",
            axis,
            f"y_pred has {rank} axes, and those of its pixels are added up",
        )
        refuse(
            reduction == "none" and len(added) == rank,
            "reduction",
            reduction,
            "of sums over all axes there is one",
        )
        return [
            Term(
                1.0,
                loss,
                {
                    "aggregate": "batch" if 0 in added else "image",
                    "per_class": rank - 1 not in added,
                    "smooth": (0.0, EPSILON),
                    **options,
                },
            )
        ]

    return Recipe(terms=terms, activation="identity", target="classes", reduction=reduction)


@preset
def CategoricalCrossentropy(
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_crossentropy",
    dtype: Any = None,
) -> Recipe:
    _last(axis)
    return _of_classes("CrossEntropyLoss", from_logits, reduction, dtype, label_smoothing=label_smoothing)


@preset.function("categorical_crossentropy", "y_true", "y_pred")
def categorical_crossentropy(
    from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Recipe:
    return CategoricalCrossentropy(from_logits, label_smoothing, axis, None)


@preset
def SparseCategoricalCrossentropy(
    from_logits: bool = False,
    ignore_class: int | None = None,
    reduction: str | None = "sum_over_batch_size",
    axis: int = -1,
    name: str = "sparse_categorical_crossentropy",
    dtype: Any = None,
) -> Recipe:
    _last(axis)
    return _of_classes("CrossEntropyLoss", from_logits, reduction, dtype, "labels", ignore_index=ignore_class)


@preset.function("sparse_categorical_crossentropy", "y_true", "y_pred")
def sparse_categorical_crossentropy(
    from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Recipe:
    return SparseCategoricalCrossentropy(from_logits, ignore_class, None, axis)


@preset
def CategoricalFocalCrossentropy(
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_focal_crossentropy",
    dtype: Any = None,
) -> Recipe:
    _last(axis)
    refuse(
        label_smoothing != 0, "label_smoothing", label_smoothing, "give it the target (1 − ε) y_true + ε / C"
    )
    return _of_classes("FocalLoss", from_logits, reduction, dtype, alpha=alpha, gamma=gamma)


@preset.function("categorical_focal_crossentropy", "y_true", "y_pred")
def categorical_focal_crossentropy(
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Recipe:
    return CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis, None)


@preset
def BinaryCrossentropy(
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: str | None = "sum_over_batch_size",
    name: str = "binary_crossentropy",
    dtype: Any = None,
) -> Recipe:
    reduction = core_reduction(reduction, dtype)
    return _binary("CrossEntropyLoss", from_logits, axis, reduction, label_smoothing=label_smoothing)


@preset.function("binary_crossentropy", "y_true", "y_pred")
def binary_crossentropy(from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Recipe:
    return BinaryCrossentropy(from_logits, label_smoothing, axis, None)


@preset
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
) -> Recipe:
    refuse(
        label_smoothing != 0,
        "label_smoothing",
        label_smoothing,
        "give it the target times 1 - label_smoothing, plus label_smoothing / 2",
    )
    options = {"alpha": alpha if apply_class_balancing else None, "gamma": gamma, "mixes": "probabilities"}
    return _binary("FocalLoss", from_logits, axis, core_reduction(reduction, dtype), **options)


@preset.function("binary_focal_crossentropy", "y_true", "y_pred")
def binary_focal_crossentropy(
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Recipe:
    return BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, None
    )


@preset
def MeanSquaredError(
    reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
) -> Recipe:
    return _of_entries("MeanSquaredErrorLoss", "identity", core_reduction(reduction, dtype))


@preset.function("mean_squared_error", "y_true", "y_pred")
def mean_squared_error() -> Recipe:
    return MeanSquaredError(None)


@preset
def CategoricalGeneralizedCrossEntropy(
    q: float = 0.5,
    reduction: str | None = "sum_over_batch_size",
    name: str = "categorical_generalized_cross_entropy",
    dtype: Any = None,
) -> Recipe:
    return _of_classes("GeneralizedCrossEntropyLoss", False, reduction, dtype, "labels", q=q, clip=0.0)


@preset.function("categorical_generalized_cross_entropy", "y_true", "y_pred")
def categorical_generalized_cross_entropy(q: float) -> Recipe:
    return CategoricalGeneralizedCrossEntropy(q, None)


@preset
def Dice(
    reduction: str | None = "sum_over_batch_size", name: str = "dice", axis: Any = None, dtype: Any = None
) -> Recipe:
    return _region(axis, core_reduction(reduction, dtype), "DiceLoss")


@preset.function("dice", "y_true", "y_pred")
def dice(axis: Any = None) -> Recipe:
    return _region(axis, "mean" if axis is None else "none", "DiceLoss")


def _tversky(alpha: float, beta: float, axis: Any, reduction: str) -> Recipe:
    # Keras' α is for what is missed, its β for what is too much.
    return _region(axis, reduction, "TverskyLoss", alpha=beta, beta=alpha)


@preset
def Tversky(
    alpha: float = 0.5,
    beta: float = 0.5,
    reduction: str | None = "sum_over_batch_size",
    name: str = "tversky",
    axis: Any = None,
    dtype: Any = None,
) -> Recipe:
    return _tversky(alpha, beta, axis, core_reduction(reduction, dtype))


@preset.function("tversky", "y_true", "y_pred")
def tversky(alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Recipe:
    return _tversky(alpha, beta, axis, "mean" if axis is None else "none")

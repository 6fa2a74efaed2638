"""The losses of PyTorch itself."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse

preset = Library(
    "pytorch",
    "PyTorch",
    "2.13.0",
    ("input", "target"),
    "Nothing left, every pixel ignored: CrossEntropyLoss is NaN there, and 0 here.",
    "A class of weight 0 is left out here, smoothed labels or not.",
    "BCELoss cuts logarithms off at −100, and has no gradient where a probability is certain and right; here one that"
    " is certain and wrong costs ∞, and the other has the slope that it tends to.",
    "Weights of the binary losses are one number here, or at a call of their functions an array of the logits' shape,"
    " of which one below 0 makes the value NaN: of one axis they would broadcast along the last axis there.",
)


def _no_relics(size_average: Any, reduce: Any) -> None:
    refuse(size_average is not None, "size_average", size_average, "reduction says it")
    refuse(reduce is not None, "reduce", reduce, "reduction says it")


def _class_weights(weight: Any) -> dict[str, Any]:
    return {} if weight is None else {"class_weights": tuple(weight)}


@preset.function("cross_entropy", "input", "target")
@preset
def CrossEntropyLoss(
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Recipe:
    _no_relics(size_average, reduce)

    def terms(sizes: Sizes) -> list[Term]:
        options = {"label_smoothing": label_smoothing, **_class_weights(weight)}
        return [Term(1.0, "CrossEntropyLoss", options | ({} if sizes.labelled else {"divisor": "valid"}))]

    return Recipe(
        terms=terms,
        activation="softmax",
        target="either",
        ignore_index=ignore_index,
        reduction=reduction,
        buffers={"weight": weight},
    )


def _factor(weight: Any) -> float:
    """A weight that is one number."""
    if weight is None:
        return 1.0
    several = not isinstance(weight, (int, float)) and len(weight) > 1
    refuse(
        several,
        "weight",
        weight,
        "take CrossEntropyLoss(class_weights=) of this package, or mask= for pixels and their classes",
    )
    return float(weight if isinstance(weight, (int, float)) else weight[0])


@preset.function("binary_cross_entropy_with_logits", "input", "target", weight="weight")
@preset
def BCEWithLogitsLoss(
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Recipe:
    _no_relics(size_average, reduce)
    factor = _factor(weight)
    several = isinstance(pos_weight, tuple) and len(pos_weight) > 1
    refuse(several, "pos_weight", pos_weight, "take CrossEntropyLoss(pos_weight=) of this package")
    positive = pos_weight[0] if isinstance(pos_weight, tuple) else pos_weight
    options = {"pos_weight": positive, "divisor": "all"}
    return Recipe(
        terms=lambda sizes: [Term(factor, "CrossEntropyLoss", options)],
        activation="sigmoid",
        target="classes",
        reduction=reduction,
        buffers={"weight": weight, "pos_weight": pos_weight},
    )


@preset.function("binary_cross_entropy", "input", "target", weight="weight")
@preset
def BCELoss(
    weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Recipe:
    _no_relics(size_average, reduce)
    factor = _factor(weight)
    return Recipe(
        terms=lambda sizes: [Term(factor, "CrossEntropyLoss", {"overlapping": True, "divisor": "all"})],
        activation="identity",
        target="classes",
        reduction=reduction,
        buffers={"weight": weight},
    )

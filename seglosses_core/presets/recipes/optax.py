"""optax' losses: functions, most of which give a cost for each pixel."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse

preset = Library(
    "optax",
    "optax",
    "0.2.8",
    ("logits", "labels"),
    "Logits have a batch and a class axis, the last one in seglosses_jax; optax takes one pixel alone, too.",
    "Nothing is broadcast: labels have the shape of the logits, or that without the classes, and `where` is of pixels.",
    "A label outside the classes makes all costs NaN here, and -1 is none; there it is the last class.",
    "`axis` of dice_loss counts the axes of arrays whose classes are last, whatever `class_axis` is.",
    "dice_loss(apply_softmax=False) looks at whether probabilities sum to 1, so that one class raises an error, and so"
    " does jit; here it takes them as they are.",
)


def _costs(activation: str, axis: Any, loss: str, target: str = "classes", **options: Any) -> Recipe:
    refuse(axis != -1, "axis", axis, "pass class_axis=")
    return Recipe(
        terms=lambda sizes: [Term(1.0, loss, options)],
        activation=activation,
        target=target,
        reduction="none",
    )


@preset.function("softmax_cross_entropy", "logits", "labels", mask="where")
def softmax_cross_entropy(axis: Any = -1, where: Any = None) -> Recipe:
    return _costs("softmax", axis, "CrossEntropyLoss")


@preset.function("safe_softmax_cross_entropy", "logits", "labels")
def safe_softmax_cross_entropy() -> Recipe:
    return _costs("softmax", -1, "CrossEntropyLoss")


@preset.function("softmax_cross_entropy_with_integer_labels", "logits", "labels", mask="where")
def softmax_cross_entropy_with_integer_labels(axis: Any = -1, where: Any = None) -> Recipe:
    return _costs("softmax", axis, "CrossEntropyLoss", target="labels")


@preset.function("poly_loss_cross_entropy", "logits", "labels", mask="where")
def poly_loss_cross_entropy(*, epsilon: float = 2.0, axis: Any = -1, where: Any = None) -> Recipe:
    return _costs("softmax", axis, "PolyCrossEntropyLoss", epsilon=epsilon)


@preset.function("sigmoid_binary_cross_entropy", "logits", "labels")
def sigmoid_binary_cross_entropy() -> Recipe:
    return _costs("sigmoid", -1, "CrossEntropyLoss")


@preset.function("sigmoid_focal_loss", "logits", "labels")
def sigmoid_focal_loss(*, alpha: float | None = None, gamma: float = 2.0) -> Recipe:
    return _costs("sigmoid", -1, "FocalLoss", alpha=alpha, gamma=gamma, mixes="probabilities")


@preset.function("dice_loss", "predictions", "targets")
def dice_loss(
    *,
    class_weights: Any = None,
    smooth: float = 1.0,
    alpha: float = 0.5,
    beta: float = 0.5,
    apply_softmax: bool = True,
    reduction: str = "mean",
    ignore_background: bool = False,
    axis: Any = None,
) -> Recipe:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    given = (axis,) if isinstance(axis, int) else axis
    batch = given is not None and 0 in given  # then there is one number, else one for each image

    def terms(sizes: Sizes) -> list[Term]:
        rank, classes = sizes.axes, sizes.classes
        pixels = set(range(1, rank - 1))
        added = pixels if given is None else {a % rank for a in given if a}
        refuse(added != pixels, "axis", axis, "the axes of pixels are added up, with or without the batch")
        background = not ignore_background or classes == 1
        refuse(
            reduction == "none" and not background,
            "ignore_background",
            ignore_background,
            "with reduction='none' take the losses of all classes, and leave out the first",
        )
        kept = classes if background else classes - 1
        options: dict[str, Any] = {
            "alpha": alpha,
            "beta": beta,
            "smooth": smooth,
            "include_background": background,
            "aggregate": "batch" if batch else "image",
        }
        if apply_softmax:
            options["activation"] = "sigmoid" if classes == 1 else "softmax"
        if class_weights is not None:
            options["class_weights"] = tuple(class_weights)
            if batch:
                options["divisor"] = "all"
        factor = 1.0 if batch else {"mean": classes / kept, "sum": classes, "none": 1.0}[reduction]
        return [Term(factor, "TverskyLoss", options)]

    return Recipe(
        terms=terms,
        activation="identity",
        target="classes",
        reduction=reduction if batch else "none",
        averages_classes=not batch and reduction != "none",
    )


@preset.function("binary_dice_loss", "predictions", "targets")
def binary_dice_loss(*, smooth: float = 1.0, apply_sigmoid: bool = True) -> Recipe:
    def terms(sizes: Sizes) -> list[Term]:
        if sizes.classes != 1:
            raise ValueError(
                f"predictions must have one class, got {sizes.classes}: give those of shape (N, H, W) their axis."
            )
        return [Term(1.0, "TverskyLoss", {"smooth": smooth})]

    return Recipe(
        terms=terms,
        activation="sigmoid" if apply_sigmoid else "identity",
        target="classes",
        reduction="none",
        averages_classes=True,
    )

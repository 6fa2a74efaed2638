"""kornia's losses."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse

preset = Library(
    "kornia",
    "kornia",
    "0.9.0",
    ("pred", "target"),
    "An image that is all ignored costs 1 in dice_loss and tversky_loss there; here 0. Its gradient is 0 in both.",
    "It leaves the mean of dice_loss(average='macro') where weights are given.",
    "reduction='none', the default of FocalLoss there, is refused: it has one cost for each class of a pixel.",
)


@preset.function("dice_loss", "pred", "target")
@preset
def DiceLoss(
    average: str = "micro", eps: float = 1e-8, weight: Any = None, ignore_index: int | None = -100
) -> Recipe:
    refuse(average not in ("micro", "macro"), "average", average, "take 'micro' or 'macro'")
    options: dict[str, Any] = {"smooth": (0.0, eps), "divisor": "all"}
    if average == "micro":
        # Its weights stand in the sums as they are.
        largest = max(weight) if weight is not None else 1.0
        options |= {"per_class": False, "smooth": (0.0, eps / largest)}
    else:
        # An image without a class is 1 there; here it costs 0, or with weights leaves the mean. Its gradient is 0.
        divisor = "all" if weight is None else "weights"
        options |= {"absent": "skip", "average": "image", "divisor": divisor}
    if weight is not None:
        options["class_weights"] = tuple(weight)
    return Recipe(
        terms=lambda sizes: [Term(1.0, "DiceLoss", options)], activation="softmax", ignore_index=ignore_index
    )


@preset.function("tversky_loss", "pred", "target")
@preset
def TverskyLoss(alpha: float, beta: float, eps: float = 1e-8, ignore_index: int | None = -100) -> Recipe:
    options = {
        "alpha": alpha,
        "beta": beta,
        "smooth": (0.0, eps),
        "absent": "skip",
        "average": "image",
        "divisor": "all",
    }
    return Recipe(
        terms=lambda sizes: [Term(1.0, "TverskyLoss", options)],
        activation="softmax",
        ignore_index=ignore_index,
    )


@preset.function("focal_loss", "pred", "target")
@preset
def FocalLoss(
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    weight: Any = None,
    ignore_index: int | None = -100,
) -> Recipe:
    refuse(
        reduction == "none",
        "reduction",
        reduction,
        "here it is one cost for each pixel: FocalLoss of this package",
    )

    def terms(sizes: Sizes) -> list[Term]:
        factors = list(weight) if weight is not None else [1.0] * sizes.classes
        if alpha is not None:
            factors = [w * (alpha if c else 1 - alpha) for c, w in enumerate(factors)]
        share = 1 / sizes.classes if reduction == "mean" else 1.0
        return [Term(share, "FocalLoss", {"gamma": gamma, "alpha": tuple(factors), "divisor": "all"})]

    return Recipe(terms=terms, activation="softmax", ignore_index=ignore_index, reduction=reduction)


def _binary_focal(
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    pos_weight: Any = None,
    weight: Any = None,
    ignore_index: int | None = -100,
) -> Recipe:
    def terms(sizes: Sizes) -> list[Term]:
        a, b = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
        options: dict[str, Any] = {"gamma": gamma, "alpha": alpha, "divisor": "all"}
        own = list(weight) if weight is not None else [1.0] * sizes.classes
        if pos_weight is not None:
            positive = [a * p for p in pos_weight]
            options["alpha"] = tuple(p / (p + b) for p in positive)
            own = [w * (p + b) for w, p in zip(own, positive, strict=True)]
        if weight is not None or pos_weight is not None:
            options["class_weights"] = tuple(own)
        return [Term(1.0, "FocalLoss", options)]

    return Recipe(
        terms=terms,
        activation="sigmoid",
        target="classes",
        ignore_index=ignore_index,
        reduction=reduction,
        ignores_entries=True,
    )


@preset
def BinaryFocalLossWithLogits(
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    pos_weight: Any = None,
    weight: Any = None,
    ignore_index: int | None = -100,
) -> Recipe:
    return _binary_focal(alpha, gamma, reduction, pos_weight, weight, ignore_index)


@preset.function("binary_focal_loss_with_logits", "pred", "target")
def binary_focal_loss_with_logits(
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    reduction: str = "none",
    pos_weight: Any = None,
    weight: Any = None,
    ignore_index: int | None = -100,
) -> Recipe:
    return _binary_focal(alpha, gamma, reduction, pos_weight, weight, ignore_index)


def _hausdorff(axes: int, alpha: float, k: int, reduction: str) -> Recipe:
    refuse(reduction == "none", "reduction", reduction, "here it is one number for each image and class")

    def terms(sizes: Sizes) -> list[Term]:
        if sizes.classes == 1:
            raise ValueError(
                "logits must be the probabilities of two classes at least, got 1, which is label 0 there."
            )
        pixels = sizes.pixels if reduction == "sum" else 1
        assert pixels is not None
        return [Term(float(pixels), "HausdorffERLoss", {"alpha": alpha, "erosions": k})]

    return Recipe(
        terms=terms,
        activation="identity",
        reduction=reduction,
        counts_pixels=reduction == "sum",
        buffers={"kernel": [[_cross(axes)]]},
    )


def _cross(axes: int) -> Any:
    """What an erosion is made with: a pixel and its neighbours, which weigh the same."""
    share = 1 / (2 * axes + 1)
    line = [0.0, share, 0.0]
    plane = [line, [share] * 3, line]
    empty = [[0.0] * 3, line, [0.0] * 3]
    return plane if axes == 2 else [empty, plane, empty]


@preset
def HausdorffERLoss(alpha: float = 2.0, k: int = 10, reduction: str = "mean") -> Recipe:
    return _hausdorff(2, alpha, k, reduction)


@preset
def HausdorffERLoss3D(alpha: float = 2.0, k: int = 10, reduction: str = "mean") -> Recipe:
    return _hausdorff(3, alpha, k, reduction)


@preset.function("lovasz_softmax_loss", "pred", "target")
@preset
def LovaszSoftmaxLoss(weight: Any = None) -> Recipe:
    def terms(sizes: Sizes) -> list[Term]:
        options: dict[str, Any] = {"aggregate": "image", "absent": "count", "divisor": "all"}
        own = {} if weight is None else {"class_weights": tuple(weight)}
        return [Term(1.0, "LovaszSoftmaxLoss", {**options, **own})]

    return Recipe(terms=terms, activation="softmax")


@preset.function("lovasz_hinge_loss", "pred", "target")
@preset
def LovaszHingeLoss() -> Recipe:
    return Recipe(terms=lambda sizes: [Term(1.0, "LovaszHingeLoss", {})], activation="sigmoid")

"""mmsegmentation's losses."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse
from seglosses_core.reductions import HardExampleMining

preset = Library(
    "mmseg",
    "mmsegmentation",
    "1.2.2",
    ("pred", "target"),
    "A mean is divided by 1.2e-7 more than the number of pixels in CrossEntropyLoss there.",
    "CrossEntropyLoss with class_weight fails on an ignored label there, and with use_sigmoid=True on several classes,"
    " or it weighs the columns of an image; here ignored pixels are left out, and the weights are of the classes.",
    "A label outside the classes is the nearest class for TverskyLoss there, and one below 0 class 0 for DiceLoss and"
    " ignored by CrossEntropyLoss(use_sigmoid=True); here it makes the value NaN, and has no class for DiceLoss.",
    "FocalLoss fails on labels there on a CPU, for which it is here what it is there on a GPU; a one-hot target with"
    " ignore_index=c < C there leaves the pixels of class c out, and is refused here.",
    "LovaszLoss of float64 logits fails there, and so does an image that is all ignored; here it costs 0.",
    "OhemCrossEntropy of no more pixels than min_kept leaves out the most certain one there, and of pixels that tie for"
    " the last place all; here none is left out, and those that tie share the place.",
)


def _refuse_factor(avg_factor: Any) -> None:
    refuse(
        avg_factor is not None,
        "avg_factor",
        avg_factor,
        "pass reduction_override='sum', and divide by avg_factor + 1.2e-7",
    )


def _class_weights(class_weight: Any) -> dict[str, Any]:
    refuse(
        isinstance(class_weight, str),
        "class_weight",
        class_weight,
        "read the file, and pass one number for each class",
    )
    return {} if class_weight is None else {"class_weights": tuple(class_weight)}


def _without(c: int | None, options: dict[str, Any], classes: int) -> dict[str, Any]:
    """The same without a class, if it is one."""
    if c is None or not 0 <= c < classes:
        return options
    weights = options.get("class_weights", (1.0,) * classes)
    return {**options, "class_weights": (*weights[:c], 0.0, *weights[c + 1 :])}


@preset.called(
    cls_score="logits",
    label="target",
    weight="factor",
    avg_factor="avg_factor",
    reduction_override="reduction",
    ignore_index="ignore_index",
)
def CrossEntropyLoss(
    use_sigmoid: bool = False,
    use_mask: bool = False,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_ce",
    avg_non_ignore: bool = False,
    *,
    avg_factor: Any = None,
    ignore_index: int = -100,
) -> Recipe:
    refuse(
        use_mask, "use_mask", use_mask, "pick the mask of each object, and take BCEWithLogitsLoss of pytorch"
    )
    _refuse_factor(avg_factor)
    options: dict[str, Any] = {"divisor": "valid" if avg_non_ignore else "all"}
    if use_sigmoid:
        options["pos_weight"] = _class_weights(class_weight).get("class_weights")
    elif class_weight is not None:
        options |= {**_class_weights(class_weight), "divisor": "weights"}

    def terms(sizes: Sizes) -> list[Term]:
        refuse(
            "class_weights" in options and not avg_non_ignore and 0 <= ignore_index < sizes.classes,
            "ignore_index",
            ignore_index,
            "the weights of what is ignored would count, if it is a class: make the loss with avg_non_ignore=True",
        )
        return [Term(loss_weight, "CrossEntropyLoss", options)]

    return Recipe(
        terms=terms,
        activation="sigmoid" if use_sigmoid else "softmax",
        ignore_index=ignore_index,
        reduction=reduction,
    )


@preset.called(
    pred="logits",
    target="target",
    weight="sample_weight",
    avg_factor="avg_factor",
    reduction_override="reduction",
    ignore_index="",
)
def DiceLoss(
    use_sigmoid: bool = True,
    activate: bool = True,
    reduction: str = "mean",
    naive_dice: bool = False,
    loss_weight: float = 1.0,
    ignore_index: int | None = 255,
    eps: float = 1e-3,
    loss_name: str = "loss_dice",
    *,
    avg_factor: Any = None,
) -> Recipe:
    _refuse_factor(avg_factor)
    name, own = ("DiceLoss", {"smooth": eps}) if naive_dice else ("PowerDiceLoss", {"smooth": (0.0, 2 * eps)})

    def terms(sizes: Sizes) -> list[Term]:
        options = {"per_class": False, "divisor": "all", **own}
        return [Term(loss_weight, name, _without(ignore_index, options, sizes.classes))]  # a class, no label

    return Recipe(
        terms=terms,
        activation=("sigmoid" if use_sigmoid else "softmax") if activate else "identity",
        target="either",
        other_labels=True,
        reduction=reduction,
    )


@preset.called(
    pred="logits",
    target="target",
    weight="factor",
    avg_factor="avg_factor",
    reduction_override="reduction",
    ignore_index="ignore_index",
)
def FocalLoss(
    use_sigmoid: bool = True,
    gamma: float = 2.0,
    alpha: Any = 0.5,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_focal",
    *,
    avg_factor: Any = None,
    ignore_index: int = 255,
) -> Recipe:
    refuse(not use_sigmoid, "use_sigmoid", use_sigmoid, "FocalLoss of this package has activation='softmax'")
    _refuse_factor(avg_factor)
    options = {
        "gamma": gamma,
        "alpha": alpha,
        "mixes": "probabilities",
        "divisor": "all",
        **_class_weights(class_weight),
    }

    def terms(sizes: Sizes) -> list[Term]:
        refuse(
            not sizes.labelled and 0 <= ignore_index < sizes.classes,
            "ignore_index",
            ignore_index,
            "pass labels, or the pixels that count as mask=",
        )
        return [Term(loss_weight, "FocalLoss", options)]

    return Recipe(
        terms=terms, activation="sigmoid", target="either", ignore_index=ignore_index, reduction=reduction
    )


@preset.called(pred="logits", target="target", weight="", ignore_index="")
def TverskyLoss(
    smooth: float = 1,
    class_weight: Any = None,
    loss_weight: float = 1.0,
    ignore_index: int | None = 255,
    alpha: float = 0.3,
    beta: float = 0.7,
    loss_name: str = "loss_tversky",
) -> Recipe:
    refuse(
        alpha + beta != 1,
        "alpha",
        alpha,
        "beside beta they add up to 1; TverskyLoss of this package takes any",
    )

    options = {
        "alpha": alpha,
        "beta": beta,
        "smooth": smooth,
        "divisor": "all",
        **_class_weights(class_weight),
    }

    def terms(sizes: Sizes) -> list[Term]:
        own = _without(ignore_index, options, sizes.classes)  # a class as well as a label
        return [Term(loss_weight, "TverskyLoss", own)]

    return Recipe(terms=terms, activation="softmax", ignore_index=ignore_index)


@preset.called(
    cls_score="logits",
    label="target",
    weight="",
    avg_factor="avg_factor",
    reduction_override="reduction",
    ignore_index="ignore_index",
)
def LovaszLoss(
    loss_type: str = "multi_class",
    classes: Any = "present",
    per_image: bool = False,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_lovasz",
    *,
    avg_factor: Any = None,
    ignore_index: int | None = 255,
) -> Recipe:
    _refuse_factor(avg_factor)
    refuse(
        loss_type not in ("binary", "multi_class"), "loss_type", loss_type, "take 'binary' or 'multi_class'"
    )
    refuse(
        not per_image and reduction != "none",
        "reduction",
        reduction,
        "it is 'none' with per_image=False, and the value one number all the same",
    )
    refuse(
        per_image and reduction == "none", "reduction", reduction, "with per_image=True take 'mean' or 'sum'"
    )
    options: dict[str, Any] = {
        "aggregate": "image" if per_image else "batch",
        "divisor": "all",
        "reduction": "sum" if reduction == "sum" else "mean",
    }
    if loss_type == "binary":
        refuse(classes != "present", "classes", classes, "with loss_type='binary' there is one")
        refuse(class_weight is not None, "class_weight", class_weight, "with loss_type='binary' there is one")
        return Recipe(
            terms=lambda sizes: [Term(loss_weight, "LovaszHingeLoss", options)],
            activation="sigmoid",
            ignore_index=ignore_index,
        )
    weights = _class_weights(class_weight)

    def terms(sizes: Sizes) -> list[Term]:
        own = {**options, **weights, "absent": "skip" if classes == "present" else "count"}
        own |= {"average": "image"} if per_image else {}
        if isinstance(classes, str):
            return [Term(loss_weight, "LovaszSoftmaxLoss", own)]
        for c in set(range(sizes.classes)).difference(classes):
            own = _without(c, own, sizes.classes)
        return [Term(loss_weight * sizes.classes / len(classes), "LovaszSoftmaxLoss", own)]

    return Recipe(terms=terms, activation="softmax", ignore_index=ignore_index)


@preset.called(score="logits", target="target")
def OhemCrossEntropy(
    ignore_label: int = 255,
    thres: float = 0.7,
    min_kept: int = 100000,
    loss_weight: float = 1.0,
    class_weight: Any = None,
    loss_name: str = "loss_ohem",
) -> Recipe:
    refuse(
        class_weight is not None,
        "class_weight",
        class_weight,
        "there the weights are not divided by; CrossEntropyLoss of this package has class_weights= and"
        " reduction=HardExampleMining(…), which divides by them",
    )
    pooling = HardExampleMining(min_kept=max(1, min_kept), threshold=thres if thres > 0 else None)
    return Recipe(
        terms=lambda sizes: [Term(loss_weight, "CrossEntropyLoss", {"reduction": pooling})],
        activation="softmax",
        ignore_index=ignore_label,
    )

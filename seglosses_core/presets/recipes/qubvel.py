"""The losses of segmentation_models, that of Keras by qubvel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, Terms, refuse

preset = Library(
    "qubvel",
    "segmentation_models",
    "1.0.1",
    ("pr", "gt"),
    "Losses are called as others of the package are: with `(y_true, y_pred)` in seglosses_keras, with logits and target"
    " in the other packages. The ready-made ones, such as bce_jaccard_loss, take (gt, pr) everywhere.",
    "CategoricalCELoss divides probabilities by their sum there; here they are taken to sum to 1. After a softmax value"
    " and gradient of its logits are the same.",
    "BinaryCELoss under tf.keras adds 1e-7 to probabilities once more under the logarithm; here, as under Keras, it"
    " does not.",
    "Losses made here are not added or multiplied: add their values, or take what `equivalent(…)` gives.",
    "Images may have any number of axes here.",
    target_first=True,
)

EPSILON = 1e-7
"""`keras.backend.epsilon()`, unless it is changed."""


def _recipe(terms: Terms, offset: float = 0.0) -> Recipe:
    return Recipe(terms=terms, activation="identity", target="classes", offset=offset)


def _indexes(class_indexes: Any) -> Sequence[int] | None:
    return (class_indexes,) if isinstance(class_indexes, int) else class_indexes


def _region(loss: str, class_weights: Any, class_indexes: Any, per_image: bool, **options: Any) -> Recipe:
    """1 less the mean over the chosen classes of their weighted scores, so that weights w add 1 less their mean."""
    chosen = _indexes(class_indexes)
    several = isinstance(class_weights, Sequence)
    mean = 1.0 if class_weights is None else class_weights
    if several:
        mean = sum(class_weights) / len(class_weights)

    def terms(sizes: Sizes) -> list[Term]:
        own = {"aggregate": "image" if per_image else "batch", **options}
        if several or chosen is not None:
            places = range(sizes.classes) if chosen is None else chosen
            given = class_weights if several else [mean] * len(places)
            if len(given) != len(places):
                raise ValueError(
                    f"class_weights must have one number for each class that counts, {len(places)}, got {len(given)}."
                )
            weights = [0.0] * sizes.classes
            for place, weight in zip(places, given, strict=True):
                weights[place] += weight
            own |= {"class_weights": tuple(weights), "divisor": "all"}
            return [Term(sizes.classes / len(places), loss, own)]
        return [Term(mean, loss, own)]

    return _recipe(terms, offset=1.0 - mean)


@preset
def JaccardLoss(
    class_weights: Any = None, class_indexes: Any = None, per_image: bool = False, smooth: float = 1e-5
) -> Recipe:
    return _region("JaccardLoss", class_weights, class_indexes, per_image, smooth=smooth)


@preset
def DiceLoss(
    beta: float = 1,
    class_weights: Any = None,
    class_indexes: Any = None,
    per_image: bool = False,
    smooth: float = 1e-5,
) -> Recipe:
    if beta == 1:
        return _region("DiceLoss", class_weights, class_indexes, per_image, smooth=smooth)
    options = {"beta": beta, "smooth": smooth / (1 + beta**2)}
    return _region("AsymmetricSimilarityLoss", class_weights, class_indexes, per_image, **options)


@preset
def BinaryCELoss() -> Recipe:
    options = {"clip": EPSILON, "overlapping": True}
    return _recipe(lambda sizes: [Term(1.0, "CrossEntropyLoss", options)])


def _several(sizes: Sizes) -> None:
    if sizes.classes == 1:
        raise ValueError("pr must have at least two classes, got one: take the binary loss of that name.")


@preset
def CategoricalCELoss(class_weights: Any = None, class_indexes: Any = None) -> Recipe:
    refuse(
        class_indexes is not None,
        "class_indexes",
        class_indexes,
        "they are divided by their sum there: give it those classes of gt and pr",
    )
    several = isinstance(class_weights, Sequence)
    factor = 1.0 if several or class_weights is None else class_weights

    def terms(sizes: Sizes) -> list[Term]:
        _several(sizes)
        options: dict[str, Any] = {"clip": EPSILON, "divisor": "valid"}
        if several:
            options["class_weights"] = tuple(class_weights)
        return [Term(factor / sizes.classes, "CrossEntropyLoss", options)]

    return _recipe(terms)


@preset
def CategoricalFocalLoss(alpha: float = 0.25, gamma: float = 2.0, class_indexes: Any = None) -> Recipe:
    chosen = _indexes(class_indexes)

    def terms(sizes: Sizes) -> list[Term]:
        _several(sizes)
        options: dict[str, Any] = {"clip": EPSILON, "gamma": gamma, "alpha": alpha, "divisor": "valid"}
        if chosen is not None:
            options["alpha"] = tuple(alpha if c in chosen else 0.0 for c in range(sizes.classes))
        return [Term(1 / (sizes.classes if chosen is None else len(chosen)), "FocalLoss", options)]

    return _recipe(terms)


@preset
def BinaryFocalLoss(alpha: float = 0.25, gamma: float = 2.0) -> Recipe:
    options = {"clip": EPSILON, "overlapping": True, "alpha": alpha, "gamma": gamma}
    return _recipe(lambda sizes: [Term(1.0, "FocalLoss", options)])


def _ready_made(name: str, *losses: Recipe) -> None:
    """A loss that is one without arguments, or the sum of two."""

    def recipe() -> Recipe:
        return _recipe(lambda sizes: [term for loss in losses for term in loss.terms(sizes)])

    preset.function(name, "gt", "pr")(recipe)


_ready_made("jaccard_loss", JaccardLoss())
_ready_made("dice_loss", DiceLoss())
_ready_made("binary_focal_loss", BinaryFocalLoss())
_ready_made("categorical_focal_loss", CategoricalFocalLoss())
_ready_made("binary_crossentropy", BinaryCELoss())
_ready_made("categorical_crossentropy", CategoricalCELoss())
_ready_made("bce_dice_loss", BinaryCELoss(), DiceLoss())
_ready_made("bce_jaccard_loss", BinaryCELoss(), JaccardLoss())
_ready_made("cce_dice_loss", CategoricalCELoss(), DiceLoss())
_ready_made("cce_jaccard_loss", CategoricalCELoss(), JaccardLoss())
_ready_made("binary_focal_dice_loss", BinaryFocalLoss(), DiceLoss())
_ready_made("binary_focal_jaccard_loss", BinaryFocalLoss(), JaccardLoss())
_ready_made("categorical_focal_dice_loss", CategoricalFocalLoss(), DiceLoss())
_ready_made("categorical_focal_jaccard_loss", CategoricalFocalLoss(), JaccardLoss())

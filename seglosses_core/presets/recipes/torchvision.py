"""torchvision's losses."""

from __future__ import annotations

from seglosses_core.presets.recipe import Library, Recipe, Term, refuse

preset = Library(
    "torchvision",
    "torchvision",
    "0.28.0",
    ("inputs", "targets"),
    "Arrays of one axis are refused: here they have a batch and a class axis.",
)


@preset.function("sigmoid_focal_loss", "inputs", "targets")
def sigmoid_focal_loss(alpha: float = 0.25, gamma: float = 2, reduction: str = "none") -> Recipe:
    refuse(not (alpha == -1 or 0 <= alpha <= 1), "alpha", alpha, "it lies in [0, 1], or is -1 for none")
    options = {"alpha": None if alpha == -1 else alpha, "gamma": gamma, "mixes": "probabilities"}
    return Recipe(
        terms=lambda sizes: [Term(1.0, "FocalLoss", options)],
        activation="sigmoid",
        target="classes",
        reduction=reduction,
    )

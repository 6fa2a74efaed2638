"""What the losses that are a function of log p are asked about probabilities that are given."""

from __future__ import annotations

import numpy as np

from .arrays import CERTAIN, CLASS_WEIGHTS, PROBABILITIES, masked
from .definition import Definition, case

CLIP = "the clip of probabilities that are given"

# Of one class: beyond 1/8 and 7/8, at them and between; the second image has the other labels.
_EDGES = np.array([0, 0.0625, 0.125, 0.5, 0.875, 0.9375, 1])
EDGES = np.stack([_EDGES, _EDGES])[:, None]
EDGE_LABELS = np.array([[0, 0, 1, 1, 0, 1, 1], [1, 1, 0, 0, 1, 0, 0]])
# The same of three classes; the labels meet every place.
EDGES_OF_THREE = np.array(
    [
        [
            [0, 0.0625, 0.125, 0.5, 0.875, 0.9375, 1, 0.75],
            [0.75, 0.875, 0.625, 0.25, 0, 0.0625, 0, 0],
            [0.25, 0.0625, 0.25, 0.25, 0.125, 0, 0, 0.25],
        ]
    ]
)
LABELS_OF_THREE = np.array([[0, 0, 0, 1, 0, 0, 0, 1]])


def certain(text: str = "Probabilities of exactly 0 and 1, all right.") -> Definition:
    return case(
        "certain-probabilities", text, flags="identity perfect", activation="identity", logits=CERTAIN
    )


def edges(*, exclusive: bool) -> list[Definition]:
    """What a function of log p makes of probabilities near and at 0 and 1, with `clip` and without."""
    cases = [
        case(
            "clip",
            "Probabilities of one class count as if in [1/8, 7/8]: no slope outside, all of it at the ends.",
            source=CLIP,
            flags="identity one-class clip",
            activation="identity",
            clip=0.125,
            logits=EDGES,
            target=EDGE_LABELS,
        ),
        case(
            "clip-soft",
            "Soft targets of one class with clipped probabilities and a mask.",
            source=CLIP,
            flags="identity one-class soft clip mask",
            activation="identity",
            clip=0.125,
            logits=EDGES,
            target=np.array([[[8, 2, 4, 1, 5, 0, 3]], [[0, 7, 8, 2, 6, 4, 8]]]) / 8,
            mask=np.array([[1, 0.5, 1, 2, 1, 1, 0.25], [1, 1, 0.75, 1, 0, 1, 1]]),
        ),
        case(
            "clip-classes",
            "Probabilities of several classes count as if in [1/8, 7/8], those of the others too.",
            source=CLIP,
            flags="identity clip",
            activation="identity",
            clip=0.125,
            logits=EDGES_OF_THREE,
            target=LABELS_OF_THREE,
        ),
        case(
            "certain-and-wrong",
            "One class, certain and wrong at p = 1 and p = 0: the value is ∞, with slopes of ±∞ there alone.",
            flags="identity infinite wrong one-class",
            activation="identity",
            logits=np.array([[[1.0, 0.0, 0.5, 0.25]]]),
            target=np.array([[0, 1, 1, 0]]),
        ),
        case(
            "overlapping",
            "Several classes that are said to overlap, each with a probability of its own.",
            flags="identity class-weights mask",
            activation="identity",
            overlapping=True,
            class_weights=CLASS_WEIGHTS,
            **masked(PROBABILITIES),
        ),
        case(
            "certain-and-wrong-classes",
            "The label's probability is 0: the value is ∞, with a slope of −∞ there alone.",
            flags="identity infinite wrong",
            activation="identity",
            logits=np.array([[[0.0, 0.5, 0.25], [1.0, 0.25, 0.75], [0.0, 0.25, 0.0]]]),
            target=np.array([[0, 0, 1]]),
        ),
    ]
    return cases if exclusive else cases[:-2]

"""Cases of the losses that are one number per pixel, or per pixel and class."""

from __future__ import annotations

from math import nan

import numpy as np

from .arrays import (
    BINARY_LABELS,
    BINARY_LOGITS,
    BINARY_PROBABILITIES,
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    PROBABILITIES,
    SAMPLE_WEIGHT,
    SOFT,
    VOID,
    Definition,
    one_hot,
    variations,
    with_hyperparameters,
)
from .scenes import SHARED, standard

CROSS_ENTROPY = "Shannon's cross-entropy, as in Guo et al., arXiv:1802.08290, eq. 4"
SMOOTHING = "Szegedy et al., Rethinking the Inception architecture, 2016, section 7"
FOCAL = "Lin et al., Focal loss for dense object detection, 2017"
CORNER_NET = "Law & Deng, CornerNet, 2018, eq. 1"
CLIP = "the clip of probabilities that are given"
MSE = "the baseline of Du's article on distance-aware cross-entropy"
MAX_POOLING = "Rota Bulò et al., Loss max-pooling for semantic image segmentation, CVPR 2017, eqs. 2-3"

# Two pixels, the probability of the right class 1/2 and 1/4.
TWO_PIXELS = np.array([[[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]])
TWO_LABELS = np.array([[0, 1]])
HARD = one_hot(LABELS).astype(float)

# A Gaussian around two points, σ² = 2, in float32: exactly 1 at the points, overlapping in the first image.
_distance = np.array(
    [
        [[[0, 1, 1], [1, 2, 0]], [[4, 1, 0], [5, 2, 1]]],
        [[[8, 5, 4], [5, 2, 1]], [[0, 1, 4], [1, 2, 5]]],
    ]
)
HEAT_MAP = np.exp(-_distance / 4).astype(np.float32).astype(np.float64)
HEAT_LOGITS = LOGITS[:, :2]

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


def edges(prefix: str, source: str, *, exclusive: bool) -> list[Definition]:
    """What a function of log p makes of probabilities near and at 0 and 1, with `clip` and without."""
    wrong = ("identity", "infinite", "wrong")
    cases = [
        Definition(
            id=f"{prefix}/clip",
            comment="Probabilities of one class count as if in [1/8, 7/8]: no slope outside, all of it at the ends.",
            source=CLIP,
            flags=("identity", "one-class", "clip"),
            hyperparameters={"activation": "identity", "clip": 0.125},
            logits=EDGES,
            target=EDGE_LABELS,
        ),
        Definition(
            id=f"{prefix}/clip-soft",
            comment="Soft targets of one class with clipped probabilities and a mask.",
            source=CLIP,
            flags=("identity", "one-class", "soft", "clip", "mask"),
            hyperparameters={"activation": "identity", "clip": 0.125},
            logits=EDGES,
            target=np.array([[[8, 2, 4, 1, 5, 0, 3]], [[0, 7, 8, 2, 6, 4, 8]]]) / 8,
            mask=np.array([[1, 0.5, 1, 2, 1, 1, 0.25], [1, 1, 0.75, 1, 0, 1, 1]]),
        ),
        Definition(
            id=f"{prefix}/clip-classes",
            comment="Probabilities of several classes count as if in [1/8, 7/8], those of the others too.",
            source=CLIP,
            flags=("identity", "clip"),
            hyperparameters={"activation": "identity", "clip": 0.125},
            logits=EDGES_OF_THREE,
            target=LABELS_OF_THREE,
        ),
        Definition(
            id=f"{prefix}/certain-and-wrong",
            comment="One class, certain and wrong at p = 1 and p = 0: the value is ∞, with slopes of ±∞ there alone.",
            source=source,
            flags=(*wrong, "one-class"),
            hyperparameters={"activation": "identity"},
            logits=np.array([[[1.0, 0.0, 0.5, 0.25]]]),
            target=np.array([[0, 1, 1, 0]]),
        ),
    ]
    if exclusive:
        cases.append(
            Definition(
                id=f"{prefix}/certain-and-wrong-classes",
                comment="The label's probability is 0: the value is ∞, with a slope of −∞ there alone.",
                source=source,
                flags=wrong,
                hyperparameters={"activation": "identity"},
                logits=np.array([[[0.0, 0.5, 0.25], [1.0, 0.25, 0.75], [0.0, 0.25, 0.0]]]),
                target=np.array([[0, 0, 1]]),
            )
        )
    return cases


DEFINITIONS = {
    "CrossEntropyLoss": [
        Definition(
            id="cross-entropy/worked-example",
            comment="Two pixels, the right class at 1/2 and 1/4: (log 2 + log 4)/2; slopes −1/(2p), −1 and −2.",
            source=CROSS_ENTROPY,
            flags=("worked", "identity"),
            hyperparameters={"activation": "identity"},
            logits=TWO_PIXELS,
            target=TWO_LABELS,
        ),
        Definition(
            id="cross-entropy/worked-softmax",
            comment="All logits alike: log 3 at every pixel; slopes (1/3 − y)/2.",
            source=CROSS_ENTROPY,
            flags=("worked",),
            logits=np.full((1, 3, 2), 0.5),
            target=TWO_LABELS,
        ),
        *standard("cross-entropy", CROSS_ENTROPY, skip=["softmax"], shared=()),
        *variations(
            "cross-entropy",
            SMOOTHING,
            LOGITS,
            LABELS,
            [
                ("label-smoothing", "ε = 0.25.", {"label_smoothing": 0.25}),
                (
                    "label-smoothing-weights",
                    "ε = 0.125 with class weights: the weighted mean divides by the label's weight.",
                    {"label_smoothing": 0.125, "class_weights": [0.5, 2.0, 1.0]},
                ),
                (
                    "label-smoothing-sigmoid",
                    "ε = 0.25 of each yes or no.",
                    {"label_smoothing": 0.25, "activation": "sigmoid"},
                ),
            ],
        ),
        Definition(
            id="cross-entropy/label-smoothing-soft",
            comment="ε = 0.5 of soft targets.",
            source=SMOOTHING,
            flags=("soft",),
            hyperparameters={"label_smoothing": 0.5},
            logits=LOGITS,
            target=SOFT,
        ),
        Definition(
            id="cross-entropy/label-smoothing-ignored",
            comment="ε = 0.25 of pixels that are ignored, masked and weighted.",
            source=SMOOTHING,
            flags=("mask", "sample-weight", "ignore-index"),
            hyperparameters={"label_smoothing": 0.25, "ignore_index": VOID},
            logits=np.where((IGNORED | (MASK == 0))[:, None], nan, LOGITS),
            target=np.where(IGNORED, VOID, LABELS),
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        *edges("cross-entropy", CROSS_ENTROPY, exclusive=True),
        Definition(
            id="cross-entropy/certain-probabilities",
            comment="Probabilities of exactly 0 and 1, all right: 0 · log 0 is 0.",
            source=CROSS_ENTROPY,
            flags=("identity", "perfect"),
            hyperparameters={"activation": "identity"},
            logits=HARD,
            target=LABELS,
        ),
        Definition(
            id="cross-entropy/sigmoid-none",
            comment="Sigmoid with reduction none: the map has the logits' shape.",
            source=CROSS_ENTROPY,
            flags=("sigmoid", "none", "mask", "class-weights"),
            hyperparameters={"activation": "sigmoid", "reduction": "none", "class_weights": [0.5, 2.0, 1.0]},
            logits=np.where((MASK == 0)[:, None], nan, LOGITS),
            target=LABELS,
            mask=MASK,
        ),
        Definition(
            id="cross-entropy/max-pooling-few-positive",
            comment="Two of twelve costs are positive, fewer than m: every one stands at the bound τ.",
            source=MAX_POOLING,
            flags=("identity", "pooling"),
            hyperparameters={
                "activation": "identity",
                "reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7},
            },
            logits=np.where(np.arange(12).reshape(2, 1, 2, 3) < 2, PROBABILITIES, HARD),
            target=LABELS,
        ),
    ],
    "FocalLoss": [
        Definition(
            id="focal/worked-example",
            comment="Two pixels, the right class at 1/2 and 1/4: (1/4 · (1/2)² log 2 + 1/4 · (3/4)² log 4)/2.",
            source=f"{FOCAL}, eq. 5",
            flags=("worked", "identity"),
            hyperparameters={"activation": "identity"},
            logits=TWO_PIXELS,
            target=TWO_LABELS,
        ),
        Definition(
            id="focal/worked-sigmoid",
            comment="Logit 0 on foreground and background: 1/4 · 1/4 log 2 and 3/4 · 1/4 log 2, mean (log 2)/8.",
            source=f"{FOCAL}, eq. 5",
            flags=("worked", "sigmoid", "one-class"),
            hyperparameters={"activation": "sigmoid"},
            logits=np.zeros((1, 1, 2)),
            target=TWO_LABELS,
        ),
        *standard("focal", f"{FOCAL}, eq. 5", skip=["softmax"], shared=SHARED - {"soft-weights"}),
        *variations(
            "focal",
            f"{FOCAL}, eq. 5",
            LOGITS,
            LABELS,
            [
                ("gamma-0", "γ = 0: cross-entropy times α.", {"gamma": 0.0}),
                ("gamma-half", "γ = 1/2.", {"gamma": 0.5}),
                ("gamma-5", "γ = 5.", {"gamma": 5.0}),
                ("alpha-none", "No α.", {"alpha": None}),
                ("alpha-vector", "An α for each class.", {"alpha": [0.75, 0.125, 0.5]}),
                (
                    "alpha-none-sigmoid",
                    "No α: 1 for yes and for no.",
                    {"alpha": None, "activation": "sigmoid"},
                ),
                (
                    "alpha-vector-sigmoid",
                    "α and 1 − α for each class.",
                    {"alpha": [0.75, 0.125, 0.5], "activation": "sigmoid"},
                ),
            ],
        ),
        *(
            Definition(
                id=f"focal/gamma-half-extreme{suffix}",
                comment="γ = 1/2 at logits that are certain and right: (1 − p)^(−1/2) must not meet 0 · ∞.",
                source=f"{FOCAL}, eq. 5",
                flags=("extreme", *flags),
                hyperparameters={"gamma": 0.5, **hyperparameters},
                logits=np.array([[[40.0, 40.0], [0.0, -40.0], [-40.0, 0.0]]]),
                target=np.array([[0, 1]]),
            )
            for suffix, flags, hyperparameters in (
                ("", (), {}),
                ("-sigmoid", ("sigmoid",), {"activation": "sigmoid"}),
            )
        ),
        *edges("focal", f"{FOCAL}, eq. 5", exclusive=True),
        Definition(
            id="focal/certain-probabilities",
            comment="Probabilities of exactly 0 and 1, all right.",
            source=f"{FOCAL}, eq. 5",
            flags=("identity", "perfect"),
            hyperparameters={"activation": "identity"},
            logits=HARD,
            target=LABELS,
        ),
        Definition(
            id="focal/sigmoid-soft",
            comment="Soft targets under sigmoid, some of them exactly 0 and 1.",
            source=f"{FOCAL}, eq. 5",
            flags=("sigmoid", "soft"),
            hyperparameters={"activation": "sigmoid"},
            logits=LOGITS,
            target=SOFT,
        ),
    ],
    "DistanceAwareCrossEntropyLoss": [
        Definition(
            id="distance-aware/worked-example",
            comment="p = 1/2 at a point, beside it (y = 1/2) and far (y = 0), N = 1: (1/4 + 1/4 · 1/16 + 1/4) log 2.",
            source=CORNER_NET,
            flags=("worked", "sigmoid", "one-class", "soft"),
            logits=np.zeros((1, 1, 3)),
            target=np.array([[[1.0, 0.5, 0.0]]]),
        ),
        *standard(
            "distance-aware",
            CORNER_NET,
            skip=["sigmoid-extreme", "sigmoid-ignore-index"],
            shared=SHARED - {"softmax", "no-space", "soft-weights", "soft-nan"},
        ),
        Definition(
            id="distance-aware/heat-map",
            comment="Gaussian heat maps of two key points in each image.",
            source=CORNER_NET,
            flags=("soft", "heat-map"),
            logits=HEAT_LOGITS,
            target=HEAT_MAP,
        ),
        *(
            Definition(
                id=f"distance-aware/heat-map-{name}",
                comment=comment,
                source=CORNER_NET,
                flags=("soft", "heat-map", *flags),
                hyperparameters=hyperparameters,
                logits=np.where((MASK == 0)[:, None], nan, HEAT_LOGITS),
                target=np.where((MASK == 0)[:, None], nan, HEAT_MAP),
                mask=MASK,
                sample_weight=SAMPLE_WEIGHT,
            )
            for name, comment, flags, hyperparameters in (
                ("weights", "N counts points with their weights.", (), {"class_weights": [0.5, 2.0]}),
                ("sum", "The sum is not divided by N.", (), {"reduction": "sum"}),
                ("none", "The weighted map.", ("none",), {"reduction": "none"}),
                (
                    "top-k",
                    "A pooling is not divided by N.",
                    ("pooling",),
                    {"reduction": {"pooling": "TopK", "fraction": 0.25}},
                ),
            )
        ),
        *(
            Definition(
                id=f"distance-aware/heat-map-{name}",
                comment=comment,
                source=CORNER_NET,
                flags=("soft", "heat-map", "nan"),
                logits=HEAT_LOGITS,
                target=np.where(np.arange(24).reshape(HEAT_MAP.shape) == 7, value, HEAT_MAP),
            )
            for name, comment, value in (
                ("nan", "NaN is no background.", nan),
                ("above-one", "A number above 1, be it by a rounding, is no heat map.", 1 + 2.0**-23),
            )
        ),
        *edges("distance-aware", CORNER_NET, exclusive=False),
        Definition(
            id="distance-aware/no-foreground",
            comment="Nothing is exactly 1: N = 1.",
            source=CORNER_NET,
            flags=("soft", "absent-class"),
            logits=HEAT_LOGITS,
            target=HEAT_MAP / 2,
        ),
        *variations(
            "distance-aware",
            CORNER_NET,
            HEAT_LOGITS,
            HEAT_MAP,
            [
                ("beta-0", "β = 0: no mercy near a point.", {"beta": 0.0}),
                ("alpha-0", "α = 0: no focusing.", {"alpha": 0.0}),
                ("roots", "α = 1.5, β = 2.5.", {"alpha": 1.5, "beta": 2.5}),
                ("heat-map-softmax", "Softmax over the maps.", {"activation": "softmax"}),
            ],
        ),
        Definition(
            id="distance-aware/heat-map-identity",
            comment="Probabilities of one class.",
            source=CORNER_NET,
            flags=("identity", "one-class", "soft", "heat-map"),
            hyperparameters={"activation": "identity"},
            logits=BINARY_PROBABILITIES,
            target=HEAT_MAP[:, :1],
        ),
    ],
    "MeanSquaredErrorLoss": [
        Definition(
            id="mean-squared-error/worked-example",
            comment="(1/2)², (1/4)², (−1)², 0²: mean 21/64; slopes (p − y)/2.",
            source=MSE,
            flags=("worked", "identity", "one-class", "soft"),
            logits=np.array([[[1.0, 0.5, -0.5, 0.25]]]),
            target=np.array([[[0.5, 0.25, 0.5, 0.25]]]),
        ),
        *standard(
            "mean-squared-error",
            MSE,
            skip=["identity", "impossible-class", "top-k-tie"],
            shared=SHARED - {"softmax", "no-space", "soft-weights"},
        ),
        *with_hyperparameters(
            standard("mean-squared-error", MSE, only=["impossible-class"]),
            lambda given: given | {"activation": "softmax"},
        ),
        Definition(
            id="mean-squared-error/heat-map",
            comment="Heat maps of two key points in each image.",
            source=MSE,
            flags=("soft", "heat-map"),
            logits=HEAT_LOGITS,
            target=HEAT_MAP,
        ),
        Definition(
            id="mean-squared-error/heat-map-weights",
            comment="Sigmoid against heat maps, with every weight.",
            source=MSE,
            flags=("sigmoid", "soft", "heat-map", "class-weights", "mask", "sample-weight"),
            hyperparameters={"activation": "sigmoid", "class_weights": [0.5, 2.0]},
            logits=np.where((MASK == 0)[:, None], nan, HEAT_LOGITS),
            target=np.where((MASK == 0)[:, None], nan, HEAT_MAP),
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        Definition(
            id="mean-squared-error/one-class",
            comment="One class with labels, as it comes.",
            source=MSE,
            flags=("identity", "one-class"),
            logits=BINARY_LOGITS,
            target=BINARY_LABELS,
        ),
        Definition(
            id="mean-squared-error/equal",
            comment="Prediction and target agree exactly.",
            source=MSE,
            flags=("perfect", "soft"),
            logits=SOFT,
            target=SOFT,
        ),
        Definition(
            id="mean-squared-error/top-k-tie",
            comment="Costs 4, 1, 1, 1, K = 2: the first place is taken, three costs share the second, 1/3 each: 5/2.",
            source="the tie rule of TopK",
            flags=("worked", "pooling", "tie", "one-class"),
            hyperparameters={"reduction": {"pooling": "TopK", "fraction": 0.5}},
            logits=np.array([[[2.0, 1.0, -1.0, 1.0]]]),
            target=np.zeros((1, 1, 4)),
        ),
        Definition(
            id="mean-squared-error/top-k-almost-integer",
            comment="0.7 · 10 is 7 less a rounding: K = 7.",
            source="the rounding rule of TopK",
            flags=("pooling", "one-class"),
            hyperparameters={"reduction": {"pooling": "TopK", "fraction": 0.7}},
            logits=np.arange(1.0, 11.0).reshape(1, 1, 10) / 8,
            target=np.zeros((1, 1, 10)),
        ),
        Definition(
            id="mean-squared-error/max-pooling-worked",
            comment="Costs 16, 4, 4, 0, p = q = 2, m = 2: n^(−1/q) = 1/2, τ = 1/√8; 16 stands at τ, "
            "4 and 4 share the rest, 1/8 each of the norm's square 1/8, 1/16 each: 16/√8 + (4 + 4)/4.",
            source=MAX_POOLING,
            flags=("worked", "pooling", "one-class"),
            hyperparameters={"reduction": {"pooling": "MaxPooling", "ratio": 0.5, "p": 2.0}},
            logits=np.array([[[4.0, 2.0, -2.0, 0.0]]]),
            target=np.zeros((1, 1, 4)),
        ),
    ],
}

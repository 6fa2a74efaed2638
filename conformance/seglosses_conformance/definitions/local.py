"""Cases of the locally adaptive loss and of the center loss, which know a pixel's place or its features."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np

from .arrays import (
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    SAMPLE_WEIGHT,
    VOID,
    VOLUME_LABELS,
    VOLUME_LOGITS,
    Definition,
    saturated,
    variations,
    varied,
)
from .further import FURTHER
from .scenes import NO_LABELS, ONE_CLASS, SHARED, SIGMOID, standard

LOCAL = "Guo et al., Locally adaptive learning loss for semantic image segmentation, arXiv:1802.08290"
CENTER = "Wen et al., A discriminative feature learning approach for deep face recognition, 2016, eq. 5"

# A line of 7 pixels, a plane of 5×6 and a block of 3×3×4, in patches larger than a pixel.
LINE = varied(1, 3, 7, root=14)
LINE_LABELS = np.array([[0, 0, 1, 1, 1, 2, 0]])
PLANE = varied(1, 3, 5, 6, root=23)
PLANE_LABELS = np.array(
    [[[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 2], [0, 2, 2, 1, 2, 2], [2, 2, 2, 2, 2, 2], [0, 2, 1, 1, 0, 0]]]
)
BLOCK = varied(1, 3, 3, 3, 4, root=29)
BLOCK_LABELS = np.array(
    [
        [
            [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 1]],
            [[0, 0, 1, 1], [0, 2, 2, 1], [2, 2, 2, 2]],
            [[0, 1, 1, 1], [2, 2, 2, 1], [0, 0, 2, 2]],
        ]
    ]
)
# Standardised, two logits are always ±1 and one is 0.
NARROW = ["sigmoid", "two-classes", *sorted(ONE_CLASS & SIGMOID - {"sigmoid"})]
FOCAL_COST = {"loss": "FocalLoss", "hyperparameters": {"gamma": 2.0, "alpha": 0.25}}


def kernels() -> list[Definition]:
    """Every kernel size on a line, a plane and a block."""
    return [
        Definition(
            id=f"locally-adaptive/{name}-kernel-{kernel_size}",
            comment=f"{dimensions}-D, window of {kernel_size} pixels along each axis.",
            source=f"{LOCAL}, eqs. 3-5",
            flags=("kernel", f"{dimensions}d", *(["volume"] if dimensions == 3 else [])),
            hyperparameters={"kernel_size": kernel_size},
            logits=logits,
            target=target,
        )
        for name, dimensions, logits, target in (
            ("line", 1, LINE, LINE_LABELS),
            ("plane", 2, PLANE, PLANE_LABELS),
            ("block", 3, BLOCK, BLOCK_LABELS),
        )
        for kernel_size in (3, 5, 7)
    ]


LOCALLY_ADAPTIVE = [
    Definition(
        id="locally-adaptive/worked-example",
        comment="A line of labels 0, 0, 1, window 3, logits (d, 0), d = 1, 2, −1: f differs by (2·1 + 2)/2, "
        "(1 + 2·2)/2 and 2·(−1): mean of log(1 + e^−2), log(1 + e^−5/2), log(1 + e^−2).",
        source=f"{LOCAL}, eqs. 3-4",
        flags=("worked", "kernel"),
        hyperparameters={"kernel_size": 3, "standardize": False, "reduction": "mean"},
        logits=np.array([[[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]]]),
        target=np.array([[0, 0, 1]]),
    ),
    Definition(
        id="locally-adaptive/worked-standardized",
        comment="One pixel (1, 2, 3): x = √(3/2) (−1, 0, 1), f = 2x; label 2: log(1 + e^−√6 + e^−2√6). "
        "With one pixel Minkowski pooling changes nothing.",
        source=f"{LOCAL}, eqs. 2-5",
        flags=("worked", "one-pixel"),
        logits=np.array([[[[1.0]], [[2.0]], [[3.0]]]]),
        target=np.array([[[2]]]),
    ),
    *standard(
        "locally-adaptive",
        f"{LOCAL}, eqs. 2-5",
        skip=[*NO_LABELS, *NARROW, "identity", "softmax", "minkowski", "impossible-class", "top-k-tie"],
        shared=FURTHER,
    ),
    *standard(
        "locally-adaptive",
        f"{LOCAL}, eqs. 3-5",
        only=NARROW,
        shared=FURTHER,
        standardize=False,
        kernel_size=3,
    ),
    *standard(
        "locally-adaptive",
        f"{LOCAL}, the pixels as they are",
        only=["top-k-tie"],
        shared=FURTHER,
        standardize=False,
        kernel_size=1,
    ),
    *kernels(),
    *variations(
        "locally-adaptive",
        f"{LOCAL}, eqs. 3-5",
        PLANE,
        PLANE_LABELS,
        [
            ("stride-2", "Every other pixel along each axis is a centre.", {"stride": 2}),
            ("stride-3-kernel-3", "Stride 3, window 3.", {"stride": 3, "kernel_size": 3}),
            ("logits", "The logits as they are.", {"standardize": False}),
            ("k-1", "k = 1, the mean.", {"reduction": {"pooling": "Minkowski", "k": 1.0}}),
            ("k-2", "k = 2.", {"reduction": {"pooling": "Minkowski", "k": 2.0}}),
            ("k-5", "k = 5.", {"reduction": {"pooling": "Minkowski", "k": 5.0}}),
            ("mean", 'reduction="mean".', {"reduction": "mean"}),
            ("focal", "The focal loss as local cost.", {"cost": FOCAL_COST, "standardize": False}),
            (
                "smoothing",
                "Smoothed cross-entropy as local cost.",
                {"cost": {"loss": "CrossEntropyLoss", "hyperparameters": {"label_smoothing": 0.25}}},
            ),
            (
                "stride-2-max-pooling",
                "Loss max-pooling takes Minkowski's place; only centres count.",
                {"stride": 2, "reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7}},
            ),
        ],
    ),
    Definition(
        id="locally-adaptive/smoothing-ignored",
        comment="Smoothed cross-entropy of pixels that are ignored, masked and weighted.",
        source=f"{LOCAL}, eqs. 3-5",
        flags=("kernel", "mask", "sample-weight", "ignore-index"),
        hyperparameters={
            "cost": {"loss": "CrossEntropyLoss", "hyperparameters": {"label_smoothing": 0.25}},
            "ignore_index": VOID,
        },
        logits=np.where((IGNORED | (MASK == 0))[:, None], nan, LOGITS),
        target=np.where(IGNORED, VOID, LABELS),
        mask=MASK,
        sample_weight=SAMPLE_WEIGHT,
    ),
    Definition(
        id="locally-adaptive/stride-2-none",
        comment="Pixels that are no centres stand in the map with 0.",
        source=f"{LOCAL}, eq. 4",
        flags=("kernel", "none"),
        hyperparameters={"stride": 2, "reduction": "none"},
        logits=PLANE,
        target=PLANE_LABELS,
    ),
    Definition(
        id="locally-adaptive/stride-2-volume",
        comment="Stride 2 in 3-D, the logits as they are.",
        source=f"{LOCAL}, eq. 4",
        flags=("kernel", "volume"),
        hyperparameters={"stride": 2, "kernel_size": 3, "standardize": False},
        logits=BLOCK,
        target=BLOCK_LABELS,
    ),
    Definition(
        id="locally-adaptive/constant-vector",
        comment="Pixels with equal logits stand at 0 once standardised, and have no slope.",
        source=f"{LOCAL}, eq. 2",
        flags=("kernel",),
        hyperparameters={"kernel_size": 3},
        logits=np.where(np.arange(7) % 3 == 1, 1.5, LINE),
        target=LINE_LABELS,
    ),
    Definition(
        id="locally-adaptive/extreme-40-logits",
        comment="Logits of ±40 as they are.",
        source=f"{LOCAL}, eqs. 3-5",
        flags=("extreme",),
        hyperparameters={"standardize": False},
        logits=saturated(40.0),
        target=np.array([[[0, 2], [0, 1]]]),
    ),
    Definition(
        id="locally-adaptive/extreme-1e4-logits",
        comment="Logits of ±1e4 as they are (bfloat16 rounds them to ±9984).",
        source=f"{LOCAL}, eqs. 3-5",
        flags=("extreme",),
        hyperparameters={"standardize": False},
        logits=saturated(1e4),
        target=np.array([[[0, 2], [0, 1]]]),
    ),
    Definition(
        id="locally-adaptive/sigmoid-classes",
        comment="Several classes under sigmoid: a cost for each class of each pixel.",
        source=f"{LOCAL}, eqs. 3-5",
        flags=("sigmoid",),
        hyperparameters={"activation": "sigmoid", "kernel_size": 3},
        logits=LOGITS,
        target=LABELS,
    ),
]

CENTERS = np.array([[1.0, -0.5, 0.25], [-1.0, 2.0, 0.0], [0.5, 0.0, 1.5]])
FEATURE_CENTERS = np.array([[0.5, -1.0], [-0.25, 0.75], [0.0, 2.0]])
FEATURES = varied(2, 2, 2, 3, root=39)


def centers_for(classes: int) -> np.ndarray:
    """A centre for each class in the space of the logits."""
    return CENTERS if classes == len(CENTERS) else varied(classes, classes, root=55)


def center_definitions() -> list[Definition]:
    worked = Definition(
        id="center/worked-example",
        comment="Two pixels with logits (1, 1), λ = 1/2, centres (0, 0) and (1, 3): cross-entropy log 2 each, "
        "squared distances 2 and 4: log 2 + 1/4 · 3.",
        source=CENTER,
        flags=("worked",),
        hyperparameters={"weight": 0.5},
        logits=np.ones((1, 2, 2)),
        target=np.array([[0, 1]]),
        centers=np.array([[0.0, 0.0], [1.0, 3.0]]),
    )
    scenes = standard(
        "center",
        CENTER,
        skip={*NO_LABELS, *SIGMOID, "softmax", "impossible-class"},
        shared=SHARED - {"no-space", "image-ignored"},
        weight=0.25,
    )
    own = variations(
        "center",
        CENTER,
        LOGITS,
        LABELS,
        [
            ("weight-default", "λ = 3e-4.", {}),
            ("weight-0", "λ = 0: cross-entropy.", {"weight": 0.0}),
        ],
    )
    logits_cases = [replace(case, centers=centers_for(case.logits.shape[1])) for case in scenes + own]
    features = Definition(
        id="center/features",
        comment="Distances in a feature space of two dimensions.",
        source=CENTER,
        flags=("features",),
        hyperparameters={"weight": 0.25},
        logits=LOGITS,
        target=LABELS,
        centers=FEATURE_CENTERS,
        features=FEATURES,
    )
    masked = np.where((MASK == 0)[:, None], nan, FEATURES)
    return [
        worked,
        *logits_cases,
        replace(
            logits_cases[0],
            id="center/start",
            comment="Centres start at 0.",
            centers=np.zeros((3, 3)),
        ),
        features,
        replace(
            features,
            id="center/features-weights",
            comment="Features with every weight; masked features and logits are NaN.",
            flags=("features", "class-weights", "mask", "sample-weight"),
            hyperparameters={"weight": 0.25, "class_weights": [0.5, 2.0, 1.0]},
            logits=np.where((MASK == 0)[:, None], nan, LOGITS),
            features=masked,
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        replace(
            features,
            id="center/features-sum",
            comment="The sum over the pixels is Wen's.",
            hyperparameters={"weight": 0.25, "reduction": "sum"},
        ),
        replace(
            features,
            id="center/features-none",
            comment="The map of costs.",
            flags=("features", "none"),
            hyperparameters={"weight": 0.25, "reduction": "none"},
        ),
        replace(
            features,
            id="center/features-minkowski",
            comment="Minkowski pooling of costs with distances.",
            flags=("features", "pooling"),
            hyperparameters={"weight": 0.25, "reduction": {"pooling": "Minkowski", "k": 3.0}},
        ),
        Definition(
            id="center/features-volume",
            comment="Features of a volume.",
            source=CENTER,
            flags=("features", "volume"),
            hyperparameters={"weight": 0.25},
            logits=VOLUME_LOGITS,
            target=VOLUME_LABELS,
            centers=FEATURE_CENTERS,
            features=varied(1, 2, 2, 2, 3, root=43),
        ),
    ]


DEFINITIONS = {"LocallyAdaptiveLoss": LOCALLY_ADAPTIVE, "CenterLoss": center_definitions()}

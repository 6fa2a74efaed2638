"""What a mean divides by, classes that are absent and ratios of all classes together, worked by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import seglosses_core as core

# Two images of two pixels; of the label's probability 1/2, 1/4, 1/8 and, ignored, anything.
PROBABILITIES = np.array([[[0.5, 0.75], [0.5, 0.25]], [[0.125, 0.9], [0.875, 0.1]]])
LABELS = np.array([[0, 1], [0, 255]])
COMMON = {"activation": "identity", "ignore_index": 255}


@pytest.mark.parametrize(
    ("divisor", "expected"),
    [
        # Weights 1, 3 and 1: log 2 + 3 log 4 + log 8.
        ("weights", 10 * log(2) / 5),
        ("valid", 10 * log(2) / 3),
        ("all", 10 * log(2) / 4),
    ],
)
def test_cross_entropy(divisor, expected):
    loss = core.CrossEntropyLoss(class_weights=[1, 3], divisor=divisor, **COMMON)
    value, slope = loss.value_and_grad(PROBABILITIES, LABELS)
    assert value == pytest.approx(expected, rel=1e-14)
    # At 1/4 the slope of log 4 is −4.
    assert slope[0, 1, 1] == pytest.approx(-12 * expected / (10 * log(2)), rel=1e-14)


# Of 3, 3 and 4 pixels half: the costliest, log 8; the costliest with its weight, 3 log 4; that and the next, log 8.
@pytest.mark.parametrize(("divisor", "expected"), [("weights", 3), ("valid", 6), ("all", 4.5)])
def test_a_pooling_takes_what_weighted_pixels_cost(divisor, expected):
    half = core.TopK(fraction=0.5)
    loss = core.CrossEntropyLoss(class_weights=[1, 3], divisor=divisor, reduction=half, **COMMON)
    assert loss(PROBABILITIES, LABELS) == pytest.approx(expected * log(2), rel=1e-14)


# Of image 0: I = 1/2, 1/4, P = 5/4, 3/4, T = 1, 1; of image 1,
# whose class 1 is absent: I = 1/8, 0, P = 1/8, 7/8, T = 1, 0.
SCORES = [5 / 9, 5 / 7, 7 / 9, 1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, sum(SCORES) / 4),
        ({"absent": "skip"}, sum(SCORES[:3]) / 3),
        ({"absent": "zero"}, sum(SCORES[:3]) / 4),
        ({"absent": "zero", "class_weights": [1, 3]}, (5 / 9 + 15 / 7 + 7 / 9) / 8),
        ({"divisor": "valid", "class_weights": [1, 3]}, (5 / 9 + 15 / 7 + 7 / 9 + 3) / 4),
        ({"absent": "skip", "divisor": "valid", "class_weights": [1, 3]}, (5 / 9 + 15 / 7 + 7 / 9) / 3),
        ({"sample_weight": [1, 0]}, (5 / 9 + 5 / 7) / 2),
        ({"sample_weight": [1, 0], "divisor": "all"}, (5 / 9 + 5 / 7) / 4),
        ({"sample_weight": [1, 0], "divisor": "all", "average": "image", "absent": "skip"}, (5 / 9 + 5 / 7) / 4),
        ({"absent": "zero", "reduction": "none"}, [[5 / 9, 5 / 7], [7 / 9, 0]]),
        ({"per_class": False, "reduction": "none"}, [5 / 8, 7 / 8]),
        ({"per_class": False, "class_weights": [2, 1], "reduction": "none"}, [1 - 1.25 / 3.125, 1 - 0.25 / 1.5625]),
    ],
)  # fmt: skip
def test_dice(options, expected):
    sample_weight = options.pop("sample_weight", None)
    if sample_weight is not None:
        sample_weight = np.array(sample_weight, dtype=float)
    value = core.DiceLoss(smooth=0.0, **options, **COMMON)(PROBABILITIES, LABELS, sample_weight=sample_weight)
    assert np.allclose(value, expected, rtol=1e-14, atol=0)


def test_a_class_that_is_left_out_may_cost_everything():
    """−log of a score of 0 is ∞, and 0 · ∞ would be NaN."""
    scores = core.DiceLoss(smooth=0.0, log=True, absent="zero", activation="identity")
    value = scores(np.full((1, 2, 3), 0.5), np.array([[0, 0, 0]]))
    assert value == pytest.approx(-log(3 / 4.5) / 2, rel=1e-14)


def test_probabilities_of_classes_that_overlap():
    p, y = PROBABILITIES, np.array([[[1, 0], [1, 1]], [[0, 0], [1, 0]]])
    logits = np.log(p / (1 - p))
    options = {"class_weights": [1, 3], "pos_weight": 2.0}
    sigmoid = core.CrossEntropyLoss(activation="sigmoid", **options)(logits, y)
    identity = core.CrossEntropyLoss(activation="identity", overlapping=True, **options)(p, y)
    assert identity == pytest.approx(sigmoid, rel=1e-14)


def test_one_class_that_does_not_overlap():
    loss = core.CrossEntropyLoss(activation="identity", overlapping=False)
    assert loss(PROBABILITIES[:, :1], np.array([[1, 0], [0, 0]])) == pytest.approx(log(2), rel=1e-14)

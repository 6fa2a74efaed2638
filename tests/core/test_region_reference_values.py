"""Region losses on three small examples, against values from papers, other libraries and calculations by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seglosses_core as core
from seglosses_conformance.definitions.region import EXAMPLES

# Loss, example, hyper-parameters, and the values of its classes, or of the image; each to nine digits.
VALUES = [
    ("DiceLoss", "two", {"log": True}, (0.271933715, 0.305381650)),  # the mean as smp has it, .288657683
    ("FocalTverskyLoss", "two", {}, (0.324838845, 0.383216343)),
    ("LogCoshDiceLoss", "two", {}, (0.028080844, 0.034233613)),
    ("DiceSemimetricLoss", "two", {}, (0.238095238, 0.263157895)),  # JDTLoss has the mean, .250626566
    ("DiceSemimetricLoss", "soft", {}, (0.2,)),  # MONAI, smp
    ("JaccardMetricLoss", "soft", {}, (0.333333333,)),
    ("TverskyLoss", "soft", {"alpha": 0.3, "beta": 0.7, "overlap": "minimum"}, (0.2,)),
    ("DiceLoss", "soft", {}, (0.55,)),
    ("JaccardLoss", "soft", {}, (0.709677419,)),
    ("AsymmetricSimilarityLoss", "two", {}, (0.223880597, 0.277777778)),  # SegLoss has the mean, .250829187
]
# And the derivatives with respect to the probabilities of its last class, of pixels counted from 0.
GRADIENTS: list[tuple[str, str, dict[str, Any], dict[int, float]]] = [
    ("FocalTverskyLoss", "two", {}, {0: -0.417016639, 2: 0.115228282}),
    ("LogCoshDiceLoss", "two", {}, {0: -0.085511414, 2: 0.049881658}),
    ("DiceSemimetricLoss", "soft", {}, {0: 0.4, 1: -0.6, 2: 0.4}),
    ("JaccardMetricLoss", "soft", {}, {0: 5 / 9, 1: -5 / 6, 2: 5 / 9}),
]


def make(name: str, **hyperparameters: Any) -> core.Loss:
    return getattr(core, name)(activation="identity", smooth=0.0, **hyperparameters)


@pytest.mark.parametrize(("name", "example", "hyperparameters", "values"), VALUES)
def test_values(name: str, example: str, hyperparameters: dict[str, Any], values: tuple[float, ...]) -> None:
    found = make(name, reduction="none", **hyperparameters)(*EXAMPLES[example].values())
    np.testing.assert_allclose(found.ravel(), values, rtol=2e-8, atol=1e-9)


@pytest.mark.parametrize(("name", "example", "hyperparameters", "slopes"), GRADIENTS)
def test_gradients(
    name: str, example: str, hyperparameters: dict[str, Any], slopes: dict[int, float]
) -> None:
    logits, target = EXAMPLES[example].values()
    last = [0.0] * (logits.shape[1] - 1) + [1.0]
    _, gradient = make(name, class_weights=last, **hyperparameters).value_and_grad(logits, target)
    found = [gradient[0, -1, pixel] for pixel in slopes]
    np.testing.assert_allclose(found, list(slopes.values()), rtol=2e-8)


@pytest.mark.parametrize(
    ("hyperparameters", "value"),
    [
        ({}, 0.194111405),
        ({"average": "image"}, 0.165853824),
        ({"average": "class"}, 0.211373027),
        ({"aggregate": "batch"}, 0.250783699),
    ],
    ids=str,
)
def test_means_over_images_and_classes(hyperparameters: dict[str, Any], value: float) -> None:
    """The last three as JDTLoss has them."""
    logits, labels = EXAMPLES["two"].values()
    foreground = np.array([0.1, 0.1, 0.2, 0.2])
    logits = np.concatenate([logits, np.stack([1 - foreground, foreground])[None]])
    labels = np.concatenate([labels, np.zeros_like(labels)])
    assert make("DiceLoss", absent="skip", **hyperparameters)(logits, labels) == pytest.approx(
        value, rel=3e-9
    )

"""Numbers of losses of pixels, of compounds and of functions of the target, to as many digits as they were given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seglosses_core as core

P = np.asarray([0.8, 0.6, 0.3, 0.1])
Y = np.asarray([[1, 1, 0, 0]])
EXCLUSIVE = np.log(np.stack([1 - P, P])[None])
OVERLAPPING = np.log(P / (1 - P))[None, None]

SPOT = np.zeros((1, 1, 3, 3))
SPOT[0, 0, 1, 1] = 1


def spot(inside: float, outside: float) -> np.ndarray:
    return np.where(SPOT > 0, inside, outside)


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (core.UnifiedFocalLoss(), 0.254277962),
        (core.UnifiedFocalLoss(asymmetric=False), 0.293349131),
        (core.ExponentialLogarithmicLoss(label_weights=(2**0.5, 2**0.5)), 0.701104891),
    ],
)
def test_of_two_classes(loss: Any, value: float) -> None:
    assert loss(EXCLUSIVE, Y) == pytest.approx(value, abs=2e-7)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (core.combo_loss(), 0.178916956),
        (core.AsymmetricLoss(reduction="sum"), 0.735093254),
        (core.AsymmetricLoss(gamma_positive=1.0, reduction="sum"), 0.250083038),
    ],
)
def test_of_one_class(loss: Any, value: float) -> None:
    assert loss(OVERLAPPING, Y) == pytest.approx(value, abs=1e-9)


def test_adaptive_wing() -> None:
    found = core.AdaptiveWingLoss(reduction="none")(
        np.asarray([[[0.8, 0.6, 0.3]]]), np.asarray([[[1, 0, 0.5]]])
    )
    np.testing.assert_allclose(found.reshape(-1), [2.201258768, 4.047377251, 1.027408013], atol=1e-9)


def test_structure_of_a_spot() -> None:
    loss = core.StructureLoss(kernel_size=3)
    assert loss(logit(spot(0.8, 0.1)), SPOT) == pytest.approx(0.444675735, abs=1e-9)
    weights = core.boundary_weights(SPOT[:, 0].astype(int), kernel_size=3)
    np.testing.assert_allclose(weights[0], spot(49 / 9, 14 / 9)[0, 0], rtol=1e-6)


def test_structural_similarity_of_a_spot() -> None:
    assert core.SSIMLoss(activation="identity")(spot(0.7, 0.1), SPOT) == pytest.approx(0.1391994, abs=1e-7)


@pytest.mark.parametrize(("rank", "value"), [(2, 0.172192584), (3, 0.150962308)])
def test_labels_beside_a_straight_boundary(rank: int, value: float) -> None:
    labels = np.zeros((1, *[4] * rank), dtype=int)
    labels[..., 2:] = 1
    found = core.spatially_varying_labels(labels, num_classes=2)
    np.testing.assert_allclose(found[0, 1, ..., 1], value, rtol=1e-6)


def test_weights_between_two_cells() -> None:
    found = core.border_weights(np.asarray([[1, 0, 0, 2]]), num_instances=2)
    np.testing.assert_allclose(found, 8.3527021, rtol=1e-7)


@pytest.mark.parametrize(
    ("scheme", "beta", "weights"),
    [
        ("inverse", None, (5, 0.555555556)),
        ("effective", 0.9, (1.719329567, 0.280670433)),
        ("log", None, (8.823891297, 1.532977756)),
    ],
)
def test_weights_from_counts(scheme: Any, beta: float | None, weights: tuple[float, float]) -> None:
    assert core.class_weights_from_counts((1, 9), scheme=scheme, beta=beta) == pytest.approx(
        weights, abs=1e-9
    )

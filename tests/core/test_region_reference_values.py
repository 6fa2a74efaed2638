"""Region losses on three small examples, against values from papers, other libraries and calculations by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import Tensor
from torch.nn import functional

import seglosses_core as core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.definitions.region import EXAMPLES
from seglosses_conformance.entries import Known
from seglosses_conformance.losses import ENTRIES

DISTANCES = ((0, 1, 1), (1, 0, 0.5), (1, 0.5, 0))


def make(name: str, **hyperparameters: Any) -> core.Loss:
    return getattr(core, name)(activation="identity", smooth=0.0, **hyperparameters)


KNOWN = [
    pytest.param(loss, one, id=f"{loss}-{one.example}-{i}")
    for loss, entry in ENTRIES.items()
    for i, one in enumerate(entry.known)
]


@pytest.mark.parametrize(("name", "known"), KNOWN)
def test_what_is_known_of_a_loss(name: str, known: Known) -> None:
    logits, target = EXAMPLES[known.example].values()
    if known.values:
        found = make(name, reduction="none", **known.hyperparameters)(logits, target)
        np.testing.assert_allclose(found.ravel(), known.values, rtol=2e-8, atol=1e-9)
    if known.slopes:
        last = [0.0] * (logits.shape[1] - 1) + [1.0]
        _, gradient = make(name, class_weights=last, **known.hyperparameters).value_and_grad(logits, target)
        slopes = [gradient[0, -1, pixel] for pixel in known.slopes]
        np.testing.assert_allclose(slopes, list(known.slopes.values()), rtol=2e-8)


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


@pytest.mark.parametrize(
    "array", [np.asarray, torch.asarray, jnp.asarray, tf.constant, array_api_strict.asarray]
)
@pytest.mark.parametrize("package", [core, seglosses_torch, seglosses_jax, seglosses_keras])
def test_distances_may_be_an_array(package: Any, array: Any) -> None:
    given = array(np.asarray(DISTANCES, np.float32))
    assert package.GeneralizedWassersteinDiceLoss(distances=given).distances == DISTANCES


def test_gradients_of_all_classes() -> None:
    logits, labels = EXAMPLES["three"].values()
    _, gradient = make("GeneralizedDiceLoss").value_and_grad(logits, labels)
    np.testing.assert_allclose(
        gradient[0, [0, 1, 1], [0, 0, 3]], [-0.049309665, 0.133136095, -0.443786982], rtol=2e-8
    )
    _, gradient = make("GeneralizedWassersteinDiceLoss", distances=DISTANCES).value_and_grad(logits, labels)
    np.testing.assert_allclose(
        gradient[0, [1, 0, 2], [0, 3, 3]], [0.160049246, 0.541705140, 0.270852570], rtol=2e-8
    )


def test_a_mean_of_noise_robust_dice() -> None:
    """As PyMIC has it."""
    assert make("NoiseRobustDiceLoss")(*EXAMPLES["two"].values()) == pytest.approx(0.134928440, rel=4e-9)
    last = make("NoiseRobustDiceLoss", class_weights=(0, 1))
    assert last(*EXAMPLES["two"].values()) == pytest.approx(0.141674862, rel=4e-9)


def test_boundary_of_a_square() -> None:
    """7×7 ones in 9×9: 24 of 49 pixels on the boundary, p = .8 inside and .1 outside. The authors have .0560477 in
    float32, with an ε in α."""
    target = np.zeros((1, 1, 9, 9))
    target[..., 1:-1, 1:-1] = 1
    loss = core.BoundaryDoULoss(activation="identity", smooth=0.0)
    assert loss(0.1 + 0.7 * target, target) == pytest.approx(0.0560472, abs=6e-8)
    one = core.BoundaryDoULoss(activation="identity", smooth=0.0)
    assert one(np.full((1, 1, 1, 1), 0.5), np.ones((1, 1, 1, 1))) == pytest.approx(0.2, rel=1e-15)


def test_boundary_dou_without_a_boundary_term() -> None:
    """α = −1 is V-Net's Dice, α = 0 the power Jaccard loss."""
    logits, labels = np.random.default_rng(0).normal(size=(1, 3, 24, 24)), np.zeros((1, 24, 24), dtype=int)
    labels[:, :12, :12], labels[:, 12:, 12:] = 1, 2
    for alpha, other in ((-1, core.PowerDiceLoss(p=2)), (0, core.PowerJaccardLoss(p=2))):
        loss = core.BoundaryDoULoss(max_alpha=alpha, smooth=0.0)
        expected = dataclasses.replace(other, smooth=0.0).value_and_grad(logits, labels)
        np.testing.assert_allclose(loss.value_and_grad(logits, labels)[0], expected[0], rtol=1e-13)
        np.testing.assert_allclose(loss.value_and_grad(logits, labels)[1], expected[1], atol=1e-15)


def test_region_mutual_information_by_autograd() -> None:
    """The authors' formula with PyTorch's pooling, inverse and determinant, in their sizes: windows of 3 × 3 after
    pooling by 3. Their loss adds the classes up."""
    logits = 2 * np.random.default_rng(0).normal(size=(2, 3, 25, 19))
    labels = np.random.default_rng(1).integers(0, 3, (2, 9, 7)).repeat(3, 1).repeat(3, 2)[:, :25, :19]

    def windows(pixels: Tensor) -> Tensor:
        pooled = functional.max_pool2d(pixels, 3, 3, 1)
        columns = functional.unfold(pooled.flatten(0, 1)[:, None], 3).unflatten(0, (2, 3))
        return columns - columns.mean(-1, keepdim=True)

    z = torch.tensor(logits, requires_grad=True)
    x = windows(z.softmax(1))
    y = windows(functional.one_hot(torch.tensor(labels)).movedim(-1, 1).double())
    alpha = 5e-4 * torch.eye(9, dtype=torch.float64)
    left = y @ y.mT - y @ x.mT @ torch.linalg.inv(x @ x.mT + alpha) @ x @ y.mT + alpha
    expected = torch.logdet(left).mean() / 18
    expected.backward()
    value, gradient = core.RegionMutualInformationLoss().value_and_grad(logits, labels)
    assert value == pytest.approx(expected.item(), rel=1e-10)
    np.testing.assert_allclose(gradient, z.grad, rtol=1e-6, atol=1e-9 * np.abs(gradient).max())

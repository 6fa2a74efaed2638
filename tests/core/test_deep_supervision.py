"""The sum over outputs of several resolutions, in every package."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch

RANDOM = np.random.default_rng(0)
OUTPUTS = [RANDOM.normal(size=(2, 3, 12 // side, 8 // side)) for side in (1, 2, 4)]
LABELS = RANDOM.integers(0, 3, (2, 12, 8))
MASK = RANDOM.uniform(size=(2, 12, 8))
WEIGHTS = {
    "exponential": [1, 0.5, 0.25],
    "same": [1, 1, 1],
    "two": [1, 0.5, 0.5],
    "nnunet": [2 / 3, 1 / 3, 0],
    (0.5, 0.0, 3.0): [0.5, 0.0, 3.0],
}


def nearest(labels):
    """As torch does it."""
    wide = torch.tensor(labels, dtype=torch.float64)[:, None]
    return [
        torch.nn.functional.interpolate(wide, z.shape[2:], mode="nearest-exact")[:, 0]
        .numpy()
        .astype(labels.dtype)
        for z in OUTPUTS
    ]


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
@pytest.mark.parametrize("given", ["one", "each"])
def test_value_and_gradient_are_those_of_the_parts(weights, given):
    dice = seglosses_core.DiceLoss()
    targets, masks = nearest(LABELS), nearest(MASK)
    parts = [dice.value_and_grad(z, y, mask=m) for z, y, m in zip(OUTPUTS, targets, masks, strict=True)]
    loss = seglosses_core.DeepSupervisionLoss(loss=dice, weights=weights)
    target, mask = (LABELS, MASK) if given == "one" else (targets, masks)
    value, gradients = loss.value_and_grad(OUTPUTS, target, mask=mask)
    expected = sum(v * part for v, (part, _) in zip(WEIGHTS[weights], parts, strict=True))
    assert value == pytest.approx(expected, rel=1e-14)
    assert loss(OUTPUTS, target, mask=mask) == pytest.approx(expected, rel=1e-14)
    for v, gradient, (_, slope) in zip(WEIGHTS[weights], gradients, parts, strict=True):
        np.testing.assert_allclose(gradient, v * slope, rtol=1e-14)


def test_dense_targets_and_other_class_axes():
    hot = np.moveaxis(np.eye(3)[LABELS], -1, 1)
    expected = seglosses_core.DeepSupervisionLoss(loss=seglosses_core.CrossEntropyLoss())(OUTPUTS, LABELS)
    last = seglosses_core.DeepSupervisionLoss(loss=seglosses_core.CrossEntropyLoss(class_axis=-1))
    outputs = [np.moveaxis(z, 1, -1) for z in OUTPUTS]
    assert last(outputs, np.moveaxis(hot, 1, -1)) == pytest.approx(expected, rel=1e-14)
    assert last(outputs, LABELS) == pytest.approx(expected, rel=1e-14)


def test_every_package():
    core = seglosses_core.DeepSupervisionLoss(loss=seglosses_core.DiceLoss())
    expected, gradients = core.value_and_grad(OUTPUTS, LABELS)

    module = seglosses_torch.DeepSupervisionLoss(
        loss=seglosses_torch.PowerDiceLoss(p=seglosses_torch.LearnablePower(1.5))
    )
    assert len(list(module.parameters())) == 1
    module = seglosses_torch.DeepSupervisionLoss(loss=seglosses_torch.DiceLoss())
    leaves = [torch.tensor(z, requires_grad=True) for z in OUTPUTS]
    value = module(leaves, torch.tensor(LABELS))
    assert value.item() == pytest.approx(expected, rel=1e-12)
    for slope, gradient in zip(torch.autograd.grad(value, leaves), gradients, strict=True):
        np.testing.assert_allclose(slope.numpy(), gradient, rtol=1e-9, atol=1e-15)

    of_jax = seglosses_jax.DeepSupervisionLoss(loss=seglosses_jax.DiceLoss(class_axis=1))
    arrays = [jnp.asarray(z, jnp.float32) for z in OUTPUTS]
    value, slopes = jax.jit(jax.value_and_grad(lambda outputs: of_jax(outputs, LABELS)))(arrays)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    for slope, gradient in zip(slopes, gradients, strict=True):
        np.testing.assert_allclose(slope, gradient, rtol=1e-3, atol=1e-7)

    of_keras = seglosses_keras.DeepSupervisionLoss(loss=seglosses_keras.DiceLoss(class_axis=1))
    value = of_keras(LABELS, [keras.ops.convert_to_tensor(z) for z in OUTPUTS])
    assert float(keras.ops.convert_to_numpy(value)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "logits", "target", "message"),
    [
        ({"weights": "other"}, OUTPUTS, LABELS, "weights must be one of 'exponential'"),
        ({"weights": [1, -1, 1]}, OUTPUTS, LABELS, r"weights\[1\] must be at least 0, got -1"),
        (
            {"weights": [1, 1]},
            OUTPUTS,
            LABELS,
            "weights must have one number for each of the 3 outputs, got 2",
        ),
        ({"weights": "nnunet"}, OUTPUTS[:1], LABELS, "logits must be at least two outputs"),
        ({}, OUTPUTS[0], LABELS, "logits must be a sequence of arrays"),
        ({}, OUTPUTS, [LABELS], "target must be one array, or one for each of the 3 outputs, got 1"),
        ({}, OUTPUTS, LABELS[:, :11], r"target must have sides that are multiples .* \(2, 11, 8\)"),
        ({}, OUTPUTS, LABELS[0, 0], r"target must be integer labels of shape \(2, 12, 8\)"),
    ],
)
def test_what_does_not_fit(options, logits, target, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        seglosses_core.DeepSupervisionLoss(loss=seglosses_core.DiceLoss(), **options)(logits, target)

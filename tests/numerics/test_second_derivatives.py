"""Second derivatives where a probability underflows: right, and finite wherever they are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch
from everywhere import Make, named

import seglosses_jax
import seglosses_keras
import seglosses_torch

# torch.func imports TorchScript, which says that it is old.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning")

FRACTIONAL: dict[str, Make] = {
    "power Jaccard": named("PowerJaccardLoss", p=1.5),
    "binary power Dice": named("PowerDiceLoss", p=1.2, activation="sigmoid"),
    "pointwise": named("PointwiseExponentialLoss", exponent=1.5),
    "focal": named("FocalLoss", gamma=0.5),
    "binary focal": named("FocalLoss", gamma=0.5, activation="sigmoid"),
    "focal, gamma 2": named("FocalLoss"),
    "distance-aware": named("DistanceAwareCrossEntropyLoss", alpha=0.5),
    "distance-aware softmax": named("DistanceAwareCrossEntropyLoss", alpha=1.5, activation="softmax"),
}
losses = pytest.mark.parametrize("loss", FRACTIONAL)
margins = pytest.mark.parametrize("margin", [44.0, 60.0, 150.0])

# JAX and TensorFlow take a second or more for each.
some_losses = pytest.mark.parametrize(
    "loss", ["power Jaccard", "focal", "binary focal", "distance-aware softmax"]
)
some_margins = pytest.mark.parametrize("margin", [44.0, 150.0])

LABELS = np.array([[0, 1, 2, 0]])
DIRECTION = np.cos(np.arange(12.0)).reshape(1, 3, 4)


def logits_of(margin: float) -> np.ndarray:
    """A pixel that is right by the margin, one that is wrong by it, and ordinary ones."""
    logits = np.random.default_rng(3).normal(size=(1, 3, 4))
    logits[0, :, 0] = margin, 0, 0.5
    logits[0, :, 1] = margin, 0.5, 0
    return logits


def expected(loss: str, margin: float, **common: Any) -> np.ndarray:
    """The derivative of the hand-written gradient along a direction, in float64."""
    logits = torch.from_numpy(logits_of(margin)).requires_grad_()
    value = FRACTIONAL[loss](seglosses_torch, **common)(logits, torch.from_numpy(LABELS))
    (gradient,) = torch.autograd.grad(value, logits, create_graph=True)
    (curvature,) = torch.autograd.grad((gradient * torch.from_numpy(DIRECTION)).sum(), logits)
    return curvature.numpy()


def check(found: Any, loss: str, margin: float, **common: Any) -> None:
    right = expected(loss, margin, **common)
    assert np.all(np.isfinite(right))
    np.testing.assert_allclose(np.asarray(found), right, atol=2e-5 * np.max(np.abs(right)))


@margins
@losses
@pytest.mark.parametrize("way", ["hessian", "none", "formula"])
def test_torch(way: str, loss: str, margin: float) -> None:
    logits, labels = torch.from_numpy(logits_of(margin)).float(), torch.from_numpy(LABELS)
    direction = torch.from_numpy(DIRECTION).float()
    made = FRACTIONAL[loss](seglosses_torch, reduction="none" if way == "none" else "sum")

    def total(z: torch.Tensor) -> torch.Tensor:
        return made.formula(z, labels) if way == "formula" else made(z, labels).sum()

    if way == "hessian":
        hessian = torch.func.hessian(total)(logits)
        found = (hessian.reshape(12, 12) @ direction.reshape(12)).reshape(1, 3, 4)
    else:
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(total(logits), logits, create_graph=True)
        (found,) = torch.autograd.grad((gradient * direction).sum(), logits)
    check(found, loss, margin, reduction="sum")


@margins
@pytest.mark.parametrize("name", ["PowerDiceLoss", "PowerJaccardLoss"])
def test_a_learnt_power(name: str, margin: float) -> None:
    """In the logits and in p itself, where p^k log p is 0 · ∞."""
    free = torch.tensor(1.5, requires_grad=True)
    logits = torch.from_numpy(logits_of(margin)).float().requires_grad_()
    value = getattr(seglosses_torch, name)(p=torch.nn.Parameter(free.detach()))(
        logits, torch.from_numpy(LABELS)
    )
    (gradient,) = torch.autograd.grad(value, logits, create_graph=True)
    (curvature,) = torch.autograd.grad((gradient * torch.from_numpy(DIRECTION).float()).sum(), logits)
    wide = torch.from_numpy(logits_of(margin)).requires_grad_()
    value = getattr(seglosses_torch, name)(p=1.5)(wide, torch.from_numpy(LABELS))
    (gradient,) = torch.autograd.grad(value, wide, create_graph=True)
    (right,) = torch.autograd.grad((gradient * torch.from_numpy(DIRECTION)).sum(), wide)
    np.testing.assert_allclose(curvature, right, atol=2e-5 * float(right.abs().max()))


def test_an_impossible_class_and_a_learnt_power() -> None:
    """Where a logit is −∞, p is 0 and its derivatives are 0."""
    logits = torch.tensor([[[1.0, 0.0], [-torch.inf, 0.5], [0.0, 2.0]]], requires_grad=True)
    power = torch.nn.Parameter(torch.tensor(1.5))
    value = seglosses_torch.PowerJaccardLoss(p=power)(logits, torch.tensor([[0, 1]]))
    slopes = torch.autograd.grad(value, [logits, power])
    assert all(slope.isfinite().all() for slope in slopes)
    assert slopes[0][0, 1, 0] == 0


@some_margins
@some_losses
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_jax(reduction: str, loss: str, margin: float) -> None:
    made = FRACTIONAL[loss](seglosses_jax, class_axis=1, reduction=reduction)
    logits, direction = (jnp.asarray(x, dtype=jnp.float32) for x in (logits_of(margin), DIRECTION))
    gradient = jax.grad(lambda z: made(z, LABELS).sum())
    check(jax.jvp(gradient, (logits,), (direction,))[1], loss, margin, reduction="sum")


@some_margins
@some_losses
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_tensorflow(reduction: str, loss: str, margin: float) -> None:
    made = FRACTIONAL[loss](seglosses_keras, class_axis=1, reduction=reduction)
    logits, direction = (tf.constant(x, dtype=tf.float32) for x in (logits_of(margin), DIRECTION))
    with tf.GradientTape() as outer:
        outer.watch(logits)
        with tf.GradientTape() as inner:
            inner.watch(logits)
            value = tf.reduce_sum(made(LABELS, logits))
        along = tf.reduce_sum(inner.gradient(value, logits) * direction)
    check(outer.gradient(along, logits), loss, margin, reduction="sum")

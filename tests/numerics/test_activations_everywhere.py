"""Each class of activation that the core and the adapters have, against its definition in float64."""

from __future__ import annotations

import array_api_compat.numpy
import numpy as np
import pytest
import tensorflow as tf
import torch

from seglosses_core.activations import Cotangent
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives
from seglosses_core.ops import Ops
from seglosses_core.target import Target
from seglosses_jax.operations import JaxOps
from seglosses_keras.tensorflow_operations import TensorFlowOps
from seglosses_torch.compiled import CompiledOps
from seglosses_torch.eager import EagerOps
from seglosses_torch.operations import TorchOps

OPS = {
    "numpy": (lambda *where: Ops(array_api_compat.numpy, *where), np.asarray),
    "torch": (TorchOps, torch.from_numpy),
    "torch eager": (EagerOps, torch.from_numpy),
    "torch compiled": (CompiledOps, torch.from_numpy),
    "jax": (JaxOps, np.asarray),
    "tensorflow": (TensorFlowOps, tf.convert_to_tensor),
}
WANTED = [true_positives(), false_positives(), false_negatives(), Moment(2, 0), Moment(0, 1), Moment(1.5, 1)]

random = np.random.default_rng(5)
LOGITS = random.normal(size=(2, 3, 4, 5))
LABELS = random.integers(0, 3, (2, 4, 5))
HOT = np.moveaxis(np.eye(3)[LABELS], -1, 1)
WEIGHTS = random.uniform(size=LABELS.shape)
SLOPES = random.normal(size=(len(WANTED), 2, 3))
MAP = random.normal(size=LABELS.shape)
ARRAY = random.normal(size=LOGITS.shape)


def probabilities(activation: str) -> np.ndarray:
    if activation == "softmax":
        return np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    return 1 / (1 + np.exp(-LOGITS))


def at_label(x: np.ndarray) -> np.ndarray:
    return (x * HOT).sum(1)


def made(framework: str, activation: str, *, asks: bool):
    make_ops, convert = OPS[framework]
    ops = make_ops(1, 4)
    given = probabilities(activation) if activation == "identity" else LOGITS
    logits = convert(given.astype(np.float32))
    target = Target(convert(LABELS), num_classes=3, dtype=logits.dtype, ops=ops)
    kind = ops.activation(activation)
    return kind(logits, ops, labels=target.labels, label_log_probability=asks), target, convert


def close(found, expected, scale: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, rtol=2e-5, atol=scale)


over_everything = pytest.mark.parametrize("framework", OPS)
over_activations = pytest.mark.parametrize(
    ("activation", "asks"),
    [("softmax", False), ("softmax", True), ("sigmoid", True), ("identity", True)],
    ids=["softmax", "softmax-and-label", "sigmoid", "identity"],
)


@over_everything
@over_activations
def test_each_form_of_the_probabilities(framework, activation, asks):
    prediction, _, _ = made(framework, activation, asks=asks)
    p = probabilities(activation)
    close(prediction.label_log_probability, np.log(at_label(p)))
    close(prediction.label_probability, at_label(p))
    close(prediction.label_complement, 1 - at_label(p))
    close(prediction.label_log_complement, np.log(1 - at_label(p)), 1e-5)
    close(prediction.log_probabilities, np.log(p))
    close(prediction.log_complements, np.log(1 - p), 1e-5)
    close(prediction.probabilities, p)
    close(prediction.complements, 1 - p)


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
@over_everything
def test_the_side_of_the_target_and_its_way_back(framework, activation):
    prediction, target, convert = made(framework, activation, asks=False)
    p, signs = probabilities(activation), 2 * HOT - 1
    side, back = prediction.side_of(target)
    towards = np.where(signs > 0, p, 1 - p)
    close(side.log, np.log(towards))
    close(side.complement(), 1 - towards)
    close(side.log_complement(), np.log(1 - towards), 1e-5)
    slope = 1 - towards if activation == "sigmoid" else 1 / towards
    close(back(convert(ARRAY.astype(np.float32))), ARRAY * signs * slope, 1e-5)


@over_everything
@over_activations
@pytest.mark.parametrize("batch", [False, True], ids=["image", "batch"])
def test_moments(framework, activation, asks, batch):
    prediction, target, convert = made(framework, activation, asks=asks)
    p, w = probabilities(activation), WEIGHTS[:, None]
    sums, _ = prediction.moments(WANTED, target, convert(WEIGHTS.astype(np.float32)), batch=batch)
    products = [p * HOT, p * (1 - HOT), (1 - p) * HOT, p**2, HOT, p**1.5 * HOT]
    for found, product in zip(sums, products, strict=True):
        expected = (w * product).sum((2, 3))
        close(found, expected.sum(0, keepdims=True) if batch else expected)


@over_everything
@over_activations
@pytest.mark.parametrize("parts", ["label", "moments", "everything"])
def test_the_way_home(framework, activation, asks, parts):
    """Parts of u = p ∂L/∂p and of v = q ∂L/∂q, with q = 1 − p."""
    prediction, target, convert = made(framework, activation, asks=asks)
    p = probabilities(activation)
    u, v, cotangent = np.zeros_like(p), np.zeros_like(p), Cotangent()
    prediction.label_log_probability  # noqa: B018
    if parts != "moments":
        cotangent += Cotangent(label_terms=[(0, convert(MAP.astype(np.float32)))])
        u += MAP[:, None] * HOT
    if parts != "label":
        _, back = prediction.moments(WANTED, target, convert(WEIGHTS.astype(np.float32)), batch=False)
        slopes = SLOPES.astype(np.float32 if framework == "jax" else np.float64)
        cotangent += back([convert(slope) for slope in slopes])
        for slope, by_p in zip(SLOPES, [HOT, 1 - HOT, -HOT, 2 * p, 0, 1.5 * p**0.5 * HOT], strict=True):
            u += WEIGHTS[:, None] * slope[:, :, None, None] * p * by_p
    if parts == "everything":
        array = convert(ARRAY.astype(np.float32))
        cotangent += Cotangent(terms=[(1, (array,))], complement=[array], logits=[array])
        u, v = u + ARRAY * p, ARRAY
    by_p = u / p - v / (1 - p)
    expected = {
        "softmax": p * (by_p - (by_p * p).sum(1, keepdims=True)),
        "sigmoid": p * (1 - p) * by_p,
        "identity": by_p,
    }[activation]
    found = np.asarray(prediction.gradient(cotangent))
    close(
        found,
        expected + ARRAY if parts == "everything" else expected,
        1e-4 if parts == "everything" else 1e-5,
    )

"""Every shape that NumPy would broadcast, or that has the axes in another place, is refused by name; so is every other
array of a call that cannot be what is meant."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch
from everywhere import ALL, FRAMEWORKS, LOSSES, Problem, core_of, evaluate
from problems import wrong_shapes

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch

pytestmark = pytest.mark.sampled(8)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", ALL)
N, C, H, W = 2, 3, 4, 5
LOGITS = np.random.default_rng(6).normal(size=(N, C, H, W)).astype(np.float32)
LABELS = np.random.default_rng(7).integers(0, C, size=(N, H, W))
PACKAGES = {
    "numpy": (seglosses_core, np.asarray),
    "torch": (seglosses_torch, torch.from_numpy),
    "jax": (seglosses_jax, jax.device_put),
    "tensorflow": (seglosses_keras, tf.constant),
}


def wrong_here(right: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Those with axes of another length in them too."""
    return wrong_shapes(right, (1, N, C))


def refused(framework: str, loss: str, problem: Problem, name: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        evaluate(framework, ALL[loss], problem)
    assert type(caught.value) in (TypeError, ValueError)
    assert str(caught.value).startswith(f"{name} must ")


def test_the_shapes_are_what_numpy_broadcasts() -> None:
    shapes = wrong_here(LABELS.shape)
    assert {
        (1, H, W),
        (N, 1, 1),
        (H, W),
        (W,),
        (),
        (N, H, W, 1),
        (N, 1, H, W),
        (N, C, H, W),
        (H, W, N),
    } <= shapes


@everywhere
@every_loss
def test_a_target_of_another_shape(framework: str, loss: str) -> None:
    right = {LABELS.shape, (N, 1, H, W), LOGITS.shape}
    if framework == "tensorflow" and loss in LOSSES:
        right.add((*LABELS.shape, 1))  # the way of Keras
    for shape in {*wrong_here(LABELS.shape), *wrong_here(LOGITS.shape)} - right:
        for dtype in (np.int64, np.float32):
            refused(framework, loss, Problem(LOGITS, np.zeros(shape, dtype=dtype)), "target")


@everywhere
@every_loss
def test_a_mask_of_another_shape(framework: str, loss: str) -> None:
    of_entries = core_of(loss).refusal_of_entries(LOGITS, 1) is None
    for shape in wrong_here(LABELS.shape) - ({LOGITS.shape} if of_entries else set()):
        refused(framework, loss, Problem(LOGITS, LABELS, mask=np.ones(shape, dtype=bool)), "mask")


@everywhere
@every_loss
def test_sample_weights_of_another_shape(framework: str, loss: str) -> None:
    shapes = {*wrong_here((N,)), *wrong_here(LABELS.shape), LABELS.shape} - {(N,)}
    # In Keras they may be per pixel.
    by_pixel = {LABELS.shape, (*LABELS.shape, 1)} if framework == "tensorflow" and loss in LOSSES else set()
    for shape in shapes - by_pixel:
        weights = np.ones(shape, dtype=np.float32)
        refused(framework, loss, Problem(LOGITS, LABELS, sample_weight=weights), "sample_weight")


@everywhere
@pytest.mark.parametrize("loss", LOSSES)  # what takes more may name that first
def test_classes_last(framework: str, loss: str) -> None:
    last = np.ascontiguousarray(np.moveaxis(LOGITS, 1, -1))
    refused(framework, loss, Problem(last, LABELS), "target")
    refused(framework, loss, Problem(LOGITS, np.eye(C, dtype=np.float32)[LABELS]), "target")


@everywhere
@every_loss
@pytest.mark.parametrize("dtype", [bool, np.complex64])
def test_labels_that_are_no_numbers(framework: str, loss: str, dtype: type) -> None:
    refused(framework, loss, Problem(LOGITS, LABELS.astype(dtype)), "target")
    refused(framework, loss, Problem(LOGITS, LABELS[:, None].astype(dtype)), "target")


@everywhere
@every_loss
@pytest.mark.parametrize("label", [-1, C, 127])
def test_a_label_outside_the_classes(framework: str, loss: str, label: int) -> None:
    target = LABELS.copy()
    target[1, 2, 3] = label
    value, _ = evaluate(framework, ALL[loss], Problem(LOGITS, target))
    assert np.isnan(value)


@everywhere
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
@pytest.mark.parametrize("ignored", [None, -1, -100, 100, 300])
def test_labels_of_every_integer_dtype(framework: str, dtype: type, ignored: int | None) -> None:
    """With `validate=True` too, where a comparison in uint8 would take 255 for −1."""
    given = {"ignore_index": ignored, "validate": True}
    value, _ = evaluate(framework, ALL["DiceLoss-defaults"], Problem(LOGITS, LABELS))
    found, _ = evaluate(framework, ALL["DiceLoss-defaults"], Problem(LOGITS, LABELS.astype(dtype)), **given)
    assert found == value
    outside = LABELS.astype(dtype)
    outside[0, 0, 0] = 99
    with pytest.raises(ValueError, match="target must hold labels from 0 to 2, got others at 1 pixels"):
        evaluate(framework, ALL["DiceLoss-defaults"], Problem(LOGITS, outside), **given)


@everywhere
@pytest.mark.parametrize("name", ["mask", "sample_weight"])
@pytest.mark.parametrize("weight", [np.nan, -0.5, np.inf])
def test_validation_of_weights(framework: str, name: str, weight: float) -> None:
    weights = np.ones(LABELS.shape if name == "mask" else N, dtype=np.float32)
    weights.flat[0] = weight
    with pytest.raises(ValueError, match=rf"^{name} must not be negative or NaN, nor infinite"):
        evaluate(
            framework, ALL["DiceLoss-defaults"], Problem(LOGITS, LABELS, **{name: weights}), validate=True
        )


def test_validation_leaves_alone_what_is_traced() -> None:
    """Concrete logits beside a target or a mask that is not."""
    ones = np.ones(LABELS.shape, dtype=np.float32)
    expected = seglosses_core.DiceLoss()(LOGITS, LABELS)
    loss = seglosses_jax.DiceLoss(class_axis=1, validate=True)
    logits = jax.numpy.asarray(LOGITS)
    np.testing.assert_allclose(
        jax.jit(lambda t, m: loss(logits, t, mask=m))(LABELS, ones), expected, rtol=1e-6
    )
    module = seglosses_torch.DiceLoss(validate=True)
    z, targets = torch.from_numpy(LOGITS), torch.from_numpy(np.stack([LABELS, LABELS]))
    np.testing.assert_allclose(torch.func.vmap(lambda t: module(z, t))(targets), [expected] * 2, rtol=1e-6)


# -- hyper-parameters that are arrays ---------------------------------------------------------------------------------


def attempt(framework: str, name: str, **options: Any) -> Any:
    package, array = PACKAGES[framework]
    loss = getattr(package, name)(class_axis=1, **options)
    given = array(LOGITS), array(LABELS)
    return loss(*reversed(given)) if framework == "tensorflow" else loss(*given)


@everywhere
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("name", ["alpha", "class_weights"])
def test_numbers_per_class_of_another_shape(framework: str, activation: str, name: str) -> None:
    array = PACKAGES[framework][1]
    shapes = {*wrong_here((C,)), *wrong_here(LOGITS.shape), (C, C), (N, C), (C, H, W)} - {(C,)}
    for shape in shapes - ({()} if name == "alpha" else set()):
        weights = array(np.full(shape, 0.5, dtype=np.float32))
        with pytest.raises(ValueError, match=f"^{name} must "):
            attempt(framework, "FocalLoss", activation=activation, **{name: weights})


@everywhere
@pytest.mark.parametrize("shape", [(1,), (2,), (1, 1), (N, C)])
def test_a_power_or_a_weight_that_is_no_number(framework: str, shape: tuple[int, ...]) -> None:
    package, array = PACKAGES[framework]
    numbers = array(np.full(shape, 1.5, dtype=np.float32))
    for name in ("PowerDiceLoss", "PowerJaccardLoss"):
        with pytest.raises(ValueError, match=r"^p must be a number or a 0-dimensional array"):
            attempt(framework, name, p=numbers)
    members = [package.DiceLoss(), package.CrossEntropyLoss()]
    for make in (
        lambda: package.EnsembleLoss(losses=members, weights=[numbers, 1.0]),
        lambda: package.DiceLoss() * numbers,
    ):
        with pytest.raises((TypeError, ValueError), match=r"^(the weight of a loss|weights.*) must be "):
            make()
    if shape != (2,):
        with pytest.raises(ValueError, match=r"^weights must have one entry per loss, 2"):
            package.EnsembleLoss(losses=members, weights=numbers)

"""Arrays that are not what they seem: subclasses, scalars of NumPy, other orders of bytes, labels of many bits, tensors
without values."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import seglosses_core
import seglosses_jax
import seglosses_torch

pytestmark = pytest.mark.sampled(6)

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
LABELS = np.random.default_rng(1).integers(0, 3, (2, 4, 5))


class OwnTensor(torch.Tensor):
    pass


class OwnArray(np.ndarray):
    pass


@pytest.mark.parametrize("which", ["logits", "target", "both"])
def test_a_subclass_is_an_array_of_its_library(which: str) -> None:
    logits, target = torch.tensor(LOGITS), torch.tensor(LABELS)
    expected = seglosses_torch.DiceLoss()(logits, target)
    own_logits = logits if which == "target" else logits.as_subclass(OwnTensor)
    own_target = target if which == "logits" else target.as_subclass(OwnTensor)
    assert seglosses_torch.DiceLoss()(own_logits, own_target).item() == expected.item()
    gradient = own_logits.clone().requires_grad_()
    seglosses_torch.DiceLoss()(gradient, own_target).backward()
    assert gradient.grad is not None

    arrays = (
        (LOGITS if which == "target" else LOGITS.view(OwnArray)),
        (LABELS if which == "logits" else LABELS.view(OwnArray)),
    )
    assert seglosses_core.DiceLoss()(*arrays) == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_a_masked_array_is_refused(which: int) -> None:
    arrays: list[Any] = [LOGITS, LABELS]
    arrays[which] = np.ma.masked_array(arrays[which], mask=arrays[which] > 1)
    name = ("logits", "target")[which]
    with pytest.raises(
        TypeError, match=f"{name} must be an array without a mask of its own, .* pass its data"
    ):
        seglosses_core.DiceLoss()(*arrays)


NUMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gamma": ("FocalLoss", {"gamma": 1.5}),
    "alpha": ("FocalLoss", {"alpha": 0.3}),
    "alpha of classes": ("FocalLoss", {"alpha": (0.3, 0.5, 0.2)}),
    "alpha and beta": ("TverskyLoss", {"alpha": 0.3, "beta": 0.7}),
    "p": ("PowerJaccardLoss", {"p": 1.5}),
    "label_smoothing": ("CrossEntropyLoss", {"label_smoothing": 0.1}),
    "class_weights": ("CrossEntropyLoss", {"class_weights": (0.5, 1.0, 2.0)}),
    "smooth": ("DiceLoss", {"smooth": 1.0}),
    "ignore_index": ("DiceLoss", {"ignore_index": 2}),
    "kernel_size": ("LocallyAdaptiveLoss", {"kernel_size": 3}),
}


def of_numpy(value: Any, kind: type) -> Any:
    if isinstance(value, tuple):
        return tuple(of_numpy(item, kind) for item in value)
    return np.int64(value) if isinstance(value, int) else kind(value)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("package", [seglosses_core, seglosses_torch, seglosses_jax])
def test_a_scalar_of_numpy_is_the_number(package: Any, name: str, kind: type) -> None:
    """The same loss as of the Python number, in the dtype of the logits, static for JAX."""
    loss, given = NUMBERS[name]
    scalars = {key: of_numpy(value, kind) for key, value in given.items()}
    numbers = {
        key: tuple(x.item() for x in value) if isinstance(value, tuple) else value.item()
        for key, value in scalars.items()
    }
    made, expected = (getattr(package, loss)(class_axis=1, **some) for some in (scalars, numbers))
    assert repr(made) == repr(expected)
    logits = LOGITS.astype(np.float32)
    if package is seglosses_torch:
        value = made(torch.tensor(logits), torch.tensor(LABELS))
        assert value.dtype == torch.float32
    else:
        value = (jax.jit(made) if package is seglosses_jax else made)(logits, LABELS)
        assert value.dtype == np.float32


@pytest.mark.parametrize("package", [seglosses_core, seglosses_torch, seglosses_jax])
def test_scalars_of_numpy_are_checked(package: Any) -> None:
    with pytest.raises(ValueError, match=r"p must be at least 1 and at most 2, got 5\.0"):
        package.PowerDiceLoss(p=np.float64(5))
    with pytest.raises(ValueError, match=r"alpha\[1\] must be at least 0, got -1\.0"):
        package.FocalLoss(alpha=(1.0, np.float64(-1), 1.0))
    with pytest.raises(ValueError, match=r"the weight of a loss must be at least 0, got -2\.0"):
        np.float64(-2) * package.DiceLoss()
    members = [package.DiceLoss(), package.DiceLoss()]
    with pytest.raises(ValueError, match=r"weights\[0\] must be at least 0, got -2\.0"):
        package.EnsembleLoss(losses=members, weights=[np.float64(-2), 3.0])
    with pytest.raises(ValueError, match="weights must sum to 1"):
        package.EnsembleLoss(losses=members, weights=[np.float64(2), np.float64(1)], sum_to_one=True)


@pytest.mark.parametrize("pooling", [{"k": 3.0}, {"fraction": 0.5}, {"ratio": 0.5, "p": 1.7}])
def test_scalars_of_numpy_in_poolings(pooling: dict[str, float]) -> None:
    kind = {
        "k": seglosses_core.Minkowski,
        "fraction": seglosses_core.TopK,
        "ratio": seglosses_core.MaxPooling,
    }
    made = kind[next(iter(pooling))](**{key: np.float64(value) for key, value in pooling.items()})
    assert [type(getattr(made, key)) for key in pooling] == [float] * len(pooling)
    value = seglosses_core.CrossEntropyLoss(reduction=made)(LOGITS.astype(np.float32), LABELS)
    assert value.dtype == np.float32


def test_the_other_order_of_bytes_keeps_the_precision() -> None:
    expected = seglosses_core.CrossEntropyLoss().value_and_grad(LOGITS, LABELS)
    swapped = seglosses_core.CrossEntropyLoss().value_and_grad(LOGITS.astype(">f8"), LABELS.astype(">i8"))
    assert swapped[0].dtype == np.float64
    assert swapped[0] == expected[0]
    assert swapped[1].dtype == np.dtype(">f8")
    assert np.array_equal(swapped[1], expected[1])
    points = np.array([[[1.0, 2.0]]])
    maps = [
        seglosses_core.gaussian_heatmap(p, np.zeros((1, 1), int), (4, 5), num_classes=1, sigma=1.0)
        for p in (points, points.astype(">f8"))
    ]
    assert maps[0].dtype == maps[1].dtype == np.float64


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long doubles are doubles on this platform")
def test_more_than_64_bits_are_refused() -> None:
    with pytest.raises(
        TypeError, match=r"logits must be of at most 64 bits, got float\d+ of shape \(2, 3, 4, 5\)"
    ):
        seglosses_core.DiceLoss()(LOGITS.astype(np.longdouble), LABELS)


@pytest.mark.parametrize("wide", [np.array(-(2**63)), np.array(2**32), np.array(2**32 - 1, dtype=np.uint32)])
def test_labels_beyond_32_bits_are_no_classes_in_jax(wide: np.ndarray) -> None:
    """Their lower half would be 0 or −1."""
    assert not jax.config.jax_enable_x64
    labels = LABELS.astype(wide.dtype)
    labels[0, 0, 0] = wide
    for loss in (seglosses_jax.CrossEntropyLoss, seglosses_jax.DiceLoss):
        assert np.isnan(loss(class_axis=1, ignore_index=-1)(LOGITS.astype(np.float32), labels))
    with pytest.raises(ValueError, match="labels from 0 to 2, got others at 1 pixels"):
        seglosses_jax.CrossEntropyLoss(class_axis=1, validate=True)(LOGITS.astype(np.float32), labels)


@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss", "LocallyAdaptiveLoss"])
def test_tensors_without_values(name: str, validate: bool) -> None:
    loss = getattr(seglosses_torch, name)(validate=validate)
    logits, target = torch.tensor(LOGITS), torch.tensor(LABELS)
    assert loss(logits.to("meta"), target.to("meta")).shape == ()
    with FakeTensorMode() as mode:
        assert loss(mode.from_tensor(logits), mode.from_tensor(target)).shape == ()


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("spoil", ["label", "weight", "logit"])
def test_centres_stay_where_nothing_can_be_learnt_from_a_batch(spoil: str, features: bool) -> None:
    logits, labels, mask = LOGITS.copy(), LABELS.copy(), np.ones(LABELS.shape)
    x = np.random.default_rng(2).normal(size=(2, 2, 4, 5)) if features else None
    centers = np.random.default_rng(3).normal(size=(3, 2 if features else 3))
    loss = seglosses_core.CenterLoss()

    def updated() -> np.ndarray:
        return loss.updated_centers(logits, labels, centers=centers, features=x, mask=mask)

    assert not np.any(updated() == centers)
    if spoil == "label":
        labels[0, 0, 0] = 9
    elif spoil == "weight":
        mask[0, 0, 0] = -1
    else:
        (logits if x is None else x)[0, 0, 0, 0] = np.nan
    assert np.array_equal(updated(), centers)
    module = seglosses_torch.CenterLoss(num_classes=3, num_features=centers.shape[1]).double()
    given = {"mask": torch.tensor(mask), "features": None if x is None else torch.tensor(x)}
    module(torch.tensor(logits), torch.tensor(labels), **given)
    assert not module.centers.any()

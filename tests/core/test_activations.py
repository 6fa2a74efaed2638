"""What an adapter that brings activations of its own may rely on: what these are given, and what is asked of them."""

from __future__ import annotations

from typing import ClassVar

import array_api_compat.numpy as xp
import numpy as np
import pytest

import seglosses_core as core
from seglosses_core.activations import Cotangent, Softmax
from seglosses_core.moments import Moment, MomentSlopes, true_positives
from seglosses_core.ops import Ops
from seglosses_core.target import Target

LOSSES = [
    core.DiceLoss(ignore_index=7),
    core.CrossEntropyLoss(ignore_index=7),
    core.FocalLoss(ignore_index=7, class_weights=[1, 2, 3]),
    core.DiceLoss(ignore_index=7, absent="skip") + core.CrossEntropyLoss(ignore_index=7),
    core.LocallyAdaptiveLoss(ignore_index=7, kernel_size=3),
]
CENTERS = np.asarray([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0], [2.0, 0.0, 1.0]])


class LazyOps(Ops):
    checks_labels = False


class Raw(Softmax):
    """Masks its logits and finds bad labels itself."""

    masks_logits = True

    def __init__(self, logits, ops, *, labels=None, label_log_probability=False, valid=None):
        super().__init__(logits, ops, labels=labels, label_log_probability=label_log_probability, valid=valid)
        Raw.given.append((logits, labels, valid))
        counted = (
            np.full(logits.shape, True) if valid is None else np.broadcast_to(valid[:, None], logits.shape)
        )
        self.logits = np.where(counted, logits, 0.0)
        if labels is not None:
            usable = (labels >= 0) & (labels < logits.shape[1])
            self.labels = np.clip(labels, 0, logits.shape[1] - 1).astype(np.int64)
            self.nan_if_invalid = ops.zero_or_nan(np.all(usable | ~counted[:, 0]), logits.dtype)

    given: ClassVar[list[tuple]] = []


class RawOps(LazyOps):
    def activation(self, name):
        return Raw if name == "softmax" else super().activation(name)


def arrays():
    random = np.random.default_rng(3)
    logits = random.normal(size=(2, 3, 4, 5))
    labels = random.integers(0, 3, (2, 4, 5)).astype(np.int8)
    labels[0, 1] = 7
    logits[0, :, 1] = np.nan
    return logits, labels


def run(loss, ops, logits, labels):
    inputs = {"centers": CENTERS} if "centers" in loss.inputs else {}
    call = loss.prepare(logits, labels, None, None, inputs, lambda logits, axis: ops(xp, axis, logits.ndim))
    value, gradients = loss.value_and_gradients(call)
    return value, gradients.times(None, call.ops)["logits"]


@pytest.mark.parametrize("ops", [LazyOps, RawOps])
@pytest.mark.parametrize("loss", [*LOSSES, core.CenterLoss(ignore_index=7)], ids=str)
def test_labels_and_logits_as_they_came_give_the_same_numbers(loss, ops):
    given = arrays()
    for found, expected in zip(run(loss, ops, *given), run(loss, Ops, *given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("ops", [Ops, LazyOps, RawOps])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("bad", [-1, 3])
def test_a_label_that_is_none_makes_nan_whoever_finds_it(loss, ops, bad):
    logits, labels = arrays()
    labels[1, 2, 2] = bad
    value, gradient = run(loss, ops, logits, labels)
    assert np.isnan(value)
    assert np.isnan(gradient).any()


def test_in_chunks_too(monkeypatch):
    monkeypatch.setattr(Ops, "chunk_size", 24)
    logits, labels = arrays()
    loss = core.CrossEntropyLoss(ignore_index=7, class_weights=[1, 2, 3])
    monkeypatch.setattr(core.CrossEntropyLoss, "makes_logits_sized_arrays", lambda *_: True)
    assert np.isfinite(run(loss, RawOps, logits, labels)[0])
    labels[1, 2, 2] = 3
    assert np.isnan(run(loss, RawOps, logits, labels)[0])


def test_such_a_class_is_given_what_came():
    Raw.given.clear()
    logits, labels = arrays()
    run(core.DiceLoss(ignore_index=7), RawOps, logits, labels)
    ((given_logits, given_labels, valid),) = Raw.given
    assert given_logits is logits
    np.testing.assert_array_equal(given_labels, labels)
    np.testing.assert_array_equal(valid, labels != 7)


def test_labels_are_made_safe_when_they_are_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(
        LazyOps, "usable_labels", lambda self, *args: asked.append(args) or Ops.usable_labels(self, *args)
    )
    _, labels = arrays()
    labels[labels == 7] = 3
    target = Target(labels, num_classes=3, dtype=np.float64, ops=LazyOps(xp, 1, 4))
    assert (target.has_labels, target.given_labels is labels) == (True, True)
    assert (asked, target.nan_if_invalid) == ([], None)
    assert (target.labels.dtype, target.labels.max()) == (np.int64, 2)
    assert np.isnan(target.nan_if_invalid)
    assert target.labels is target.labels
    assert len(asked) == 1


def test_slopes_of_moments_stay_tables_until_they_go_home():
    logits, labels = arrays()
    ops = Ops(xp, 1, 4)
    target = Target(labels, num_classes=3, dtype=np.float64, ops=ops, ignore_index=7)
    prediction = Softmax(target.only_valid(logits), ops, labels=target.labels)
    wanted, slopes = [true_positives(), Moment(2, 0)], [np.ones((2, 3)), np.ones((2, 3))]
    sums, back = prediction.moments(wanted, target, target.mask, batch=False)
    assert [x.shape for x in sums] == [(2, 3), (2, 3)]
    assert back(slopes) == Cotangent(moments=[MomentSlopes(wanted, slopes, target.mask, target)])
    together = back(slopes) + Cotangent(terms=[(1, (logits,))]) + back(slopes)
    assert (len(together.moments), len(together.terms)) == (2, 1)


def test_what_several_losses_ask_for_is_formed_once(monkeypatch):
    asked = []

    def sums(prediction, wanted, *given):
        asked.append([(m.i, m.j) for m in wanted])
        return of_softmax(prediction, wanted, *given)

    of_softmax = Softmax._sums
    monkeypatch.setattr(Softmax, "_sums", sums)
    logits, labels = arrays()
    members = [
        core.TverskyLoss(alpha=0.3, beta=0.7, ignore_index=7),
        core.FocalTverskyLoss(gamma=0.5, ignore_index=7),
        core.TverskyLoss(ignore_index=7, aggregate="batch"),
        core.PowerJaccardLoss(p=2.0, ignore_index=7),
    ]
    ensemble = members[0] + 2 * members[1] + members[2] + members[3]
    value, gradient = run(ensemble, Ops, logits, labels)
    assert len(asked) == 3  # of images, of the batch, and with squares
    found = [run(loss, Ops, logits, labels) for loss in members]
    for together, apart in zip((value, gradient), zip(*found, strict=True), strict=True):
        expected = apart[0] + 2 * apart[1] + apart[2] + apart[3]
        np.testing.assert_allclose(together, expected, rtol=1e-12, atol=1e-15)

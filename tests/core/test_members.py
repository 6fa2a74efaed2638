"""What the members of an ensemble give, beside their sum and from the same computation."""

from __future__ import annotations

import numpy as np
import pytest

import seglosses_core as core

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 300, 301)).astype("float32")  # more than a chunk
LABELS = np.random.default_rng(1).integers(0, 3, size=(2, 300, 301))
ONE_HOT = np.moveaxis(np.eye(3, dtype=bool)[LABELS], -1, 1)

ENSEMBLES = {
    "softmax": 0.25 * core.DiceLoss() + 2 * core.CrossEntropyLoss(reduction=core.TopK(fraction=0.5)),
    "sigmoid": 0.25 * core.DiceLoss(activation="sigmoid") + 2 * core.CrossEntropyLoss(activation="sigmoid"),
    "both": 0.25 * core.DiceLoss() + 2 * core.CrossEntropyLoss(activation="sigmoid"),
    "nested": 2 * core.EnsembleLoss(losses=[core.DiceLoss() + core.FocalLoss()]) + core.CrossEntropyLoss(),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_members_are_what_they_are_by_themselves(name):
    loss, mask = ENSEMBLES[name], LABELS != 1
    value, members = loss.parts(LOGITS, ONE_HOT, mask=mask)
    assert value == loss(LOGITS, ONE_HOT, mask=mask)
    assert members == pytest.approx([member(LOGITS, ONE_HOT, mask=mask) for member in loss.losses], rel=1e-6)
    assert value == pytest.approx(sum(w * x for w, x in zip(loss.weights, members, strict=True)), rel=1e-6)


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_members_are_computed_once(name, monkeypatch):
    counted = []
    for kind in (core.DiceLoss, core.CrossEntropyLoss):
        for method in ("evaluate", "value"):
            found = getattr(kind, method)
            monkeypatch.setattr(
                kind,
                method,
                lambda self, given, found=found: counted.append(type(self)) or found(self, given),
            )
    ENSEMBLES[name](LOGITS, ONE_HOT)
    alone = sorted(counted, key=str)
    counted.clear()
    ENSEMBLES[name].parts(LOGITS, ONE_HOT)
    assert alone
    assert sorted(counted, key=str) == alone


def test_members_with_inputs_of_their_own():
    distances = np.random.default_rng(2).normal(size=LOGITS.shape)
    loss = core.BoundaryLoss() + core.DiceLoss()
    value, (boundary, dice) = loss.parts(LOGITS, LABELS, distances=distances)
    assert boundary == pytest.approx(core.BoundaryLoss()(LOGITS, LABELS, distances=distances), rel=1e-6)
    assert value == pytest.approx(boundary + dice, rel=1e-6)


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_what_makes_the_sum_nan_makes_members_nan(name):
    loss = ENSEMBLES[name]
    mask = np.ones(LABELS.shape)
    mask[0, 0, 0] = -1
    value, members = loss.parts(LOGITS, ONE_HOT, mask=mask)
    assert np.isnan([value, *members]).all()


def test_the_loss_stays_as_it_was():
    loss = ENSEMBLES["softmax"]
    before, _ = repr(loss), loss.parts(LOGITS, LABELS)
    assert repr(loss) == before
    assert loss.kept is None
    with pytest.raises(ValueError, match=r"^target must be"):
        loss.parts(LOGITS, LABELS[:1])

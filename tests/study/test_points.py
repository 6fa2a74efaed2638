"""Key points: where the centres are, what a peak is, and a run."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from examples.scenes import Box, scenes, scenes_and_boxes
from study import points
from study.points import LOSSES, Protocol, carry_out, heat_maps, load_points, located, peaks
from study.protocol import Run

TINY = Protocol(size=16, instances=2, train=16, validation=4, test=6, epochs=2)


def test_boxes_are_where_the_digits_are() -> None:
    images, labels, boxes = scenes_and_boxes(20, size=28, instances=4, digit_size=(8, 12), overlap=0.0)
    assert np.array_equal(images, scenes(20, size=28, instances=4, digit_size=(8, 12), overlap=0.0)[0])
    assert 20 < sum(map(len, boxes)) <= 80
    for label, found in zip(labels, boxes, strict=True):
        alone = np.zeros_like(label)
        for digit, top, left, side in found:
            assert 8 <= side <= 12
            place = (slice(top, top + side), slice(left, left + side))
            alone[place][label[place] == digit + 1] = digit + 1
        assert np.array_equal(alone, label)


def test_heat_maps_are_1_at_the_centres_alone() -> None:
    boxes = [[Box(3, 2, 4, 9), Box(3, 0, 0, 8)], [Box(0, 5, 5, 10)]]
    maps = heat_maps(boxes, 16)
    assert (maps.shape, maps.dtype) == ((2, 10, 16, 16), torch.float32)
    assert (maps == 1).nonzero().tolist() == [[0, 3, 4, 4], [0, 3, 6, 8], [1, 0, 10, 10]]
    assert 0 < maps[1, 0, 10, 11] < 1
    assert maps[1, 1:].max() == 0


def test_peaks_by_hand() -> None:
    """The second highest value is beside the highest, so no peak; the digit is that of the higher map."""
    maps = torch.zeros(10, 6, 6)
    maps[2, 1, 1], maps[2, 1, 2], maps[7, 4, 4], maps[1, 4, 4] = 5.0, 4.0, 3.0, 2.0
    places, digits = peaks(maps, 2)
    assert places.tolist() == [[1, 1], [4, 4]]
    assert digits.tolist() == [2, 7]


def test_errors_by_hand() -> None:
    """Peaks 3 and 4 pixels away from one centre and on the other one, of another digit."""
    boxes = [[Box(2, 0, 0, 2), Box(4, 8, 8, 2)]]  # centres (1, 1) and (9, 9)
    maps = torch.full((1, 10, 12, 12), -1.0)
    maps[0, 2, 4, 5], maps[0, 5, 9, 9] = 2.0, 1.0
    assert located(maps, boxes) == (2.5, 0.5)
    assert located(heat_maps(boxes, 12)[None, 0], boxes) == (0.0, 1.0)


def test_too_few_peaks_are_no_error() -> None:
    error, _ = located(
        torch.arange(36.0).expand(10, 36).reshape(1, 10, 6, 6), [[Box(0, 4, 4, 2), Box(1, 4, 0, 2)]]
    )
    assert error > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([(3.0, 0.0), (2.0, 0.0), (1.5, 0.25)])
    monkeypatch.setattr(points, "located", lambda maps, boxes: next(errors))
    row = carry_out(Run(loss, 2, 3, 0), TINY)
    assert row.run == Run(loss, 2, 3, 0)
    assert (row.errors, row.epochs_to_error, row.error, row.accuracy) == ("3 2", 2, 1.5, 0.25)


def test_targets_are_points_for_losses_that_know_no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    for loss, soft in {
        "cross-entropy": False,
        "focal": False,
        "mean squared error": True,
        "distance-aware": True,
    }.items():
        given: list[torch.Tensor] = []
        made = LOSSES[loss]()
        made.register_forward_hook(lambda module, arguments, value, to=given: to.append(arguments[1]))
        monkeypatch.setitem(LOSSES, loss, lambda made=made: made)
        carry_out(Run(loss, 2, 3, 0), TINY)
        values = torch.cat(given)
        assert ((values > 0) & (values < 1)).any() == soft
        assert (values == 1).sum() == TINY.epochs * sum(
            map(len, load_points(TINY, "cpu", None)["train"].boxes)
        )


def test_the_same_seed_gives_the_same_row() -> None:
    def row(seed: int) -> points.Row:
        done = carry_out(Run("distance-aware", 2, 3, seed), dataclasses.replace(TINY, wanted_error=0.0))
        return dataclasses.replace(done, seconds=0.0, seed=0)

    first = row(1)
    torch.manual_seed(100)
    assert row(1) == first
    assert row(2) != first
    assert first.epochs_to_error is None
    assert math.isfinite(first.error)

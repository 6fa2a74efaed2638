"""A run: the same seed gives the same numbers, the protocol is kept, every loss trains."""

from __future__ import annotations

import copy
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from examples.scenes import CLASSES, scenes
from examples.unet_torch import UNet
from study import training
from study.losses import ADAPTIVE, ALL, FINE_TUNING
from study.protocol import FULL, Run
from study.training import carry_out, fit, load_scenes, predict, shift
from tests.study.test_scenes import write_mnist

TINY = dataclasses.replace(FULL, size=16, instances=1, train=16, validation=8, test=8, epochs=2)


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    training.from_scratch.cache_clear()


def row_without_clock(run: Run) -> str:
    """As text, since NaN is not equal to itself."""
    training.from_scratch.cache_clear()
    return str(dataclasses.replace(carry_out(run, TINY), seconds=0.0, date="", seed=0))


@pytest.mark.parametrize("loss", ALL)
def test_every_loss(loss: str) -> None:
    row = carry_out(Run(loss, 2, 3, 0), TINY)
    assert row.run == Run(loss, 2, 3, 0)
    assert row.epochs == TINY.epochs
    assert math.isfinite(row.validation_loss)
    assert len(row.iou) == 11
    assert 0 <= np.nanmin(row.iou) <= np.nanmax(row.iou) <= 1
    assert 0 <= row.iou_by_scene <= 1
    assert (row.p is not None) == loss.startswith("power")
    assert row.pretraining_epochs == (TINY.epochs if loss in FINE_TUNING else None)


def test_p_is_learnt() -> None:
    p = carry_out(Run("power Jaccard, p learned", 2, 3, 0), TINY).p
    assert p is not None
    assert 1 < p < 2
    assert p != 1.5


def test_the_same_seed_gives_the_same_row() -> None:
    run = Run("power Jaccard, p = 2", 2, 5, 1)
    torch.manual_seed(100)  # what was before must not matter
    first = row_without_clock(run)
    torch.manual_seed(200)
    assert row_without_clock(run) == first
    assert row_without_clock(run._replace(seed=2)) != first


class Recorded(nn.Module):
    """A loss of given values, the same for every weight, that keeps what it was called with."""

    def __init__(self, validation: list[float]) -> None:
        super().__init__()
        self.validation = iter(validation)
        self.batches: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if not torch.is_grad_enabled():
            return torch.tensor(next(self.validation))
        self.batches.append((logits.detach(), labels))
        return logits.sum()  # so that the weights move


class Scale(nn.Module):
    """A network of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.weight * torch.ones_like(images)


def fitted(validation: list[float], seed: int = 0) -> tuple[training.Fit, Scale, Recorded]:
    network, loss = Scale(), Recorded(validation)
    protocol = dataclasses.replace(TINY, epochs=len(validation))
    return (
        fit(network, loss, load_scenes(protocol, "cpu", None), protocol, protocol.rate, seed),
        network,
        loss,
    )


def test_patience_and_the_best_weights() -> None:
    """Falls for three epochs, then is flat: stops ten epochs later with the weights of the third."""
    done, network, _ = fitted([3.0, 2.0, 1.0] + [1.0] * 50)
    assert done == training.Fit(epochs=13, best_epoch=3, validation_loss=1.0)
    _, after_three, _ = fitted([3.0, 2.0, 1.0])
    assert network.weight.item() == after_three.weight.item() < 0


def test_the_rate_falls_after_seven_flat_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []

    class Adam(torch.optim.Adam):
        def step(self, closure: Any = None) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "Adam", Adam)
    fitted([1.0] * 50)
    steps = math.ceil(TINY.train / TINY.batch_size)
    by_epoch = rates[::steps]
    # The first epoch is the best one, the second to the eighth are flat.
    assert by_epoch == pytest.approx([1e-3] * 8 + [1e-4] * 3)


def test_a_loss_that_is_never_finite_leaves_the_initial_weights() -> None:
    done, network, _ = fitted([math.nan] * 50)
    assert done.epochs == 10
    assert done.best_epoch == 0
    assert network.weight.item() == 0


def test_every_scene_once_an_epoch_and_the_same_batches_for_the_same_seed() -> None:
    first, again, other = (fitted([1.0], seed)[2].batches for seed in (0, 0, 1))
    assert sum(len(labels) for _, labels in first) == TINY.train
    assert all(torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("most", [0, 3])
def test_batches_are_shifted_by_as_much_as_the_protocol_says(most: int) -> None:
    protocol = dataclasses.replace(TINY, epochs=1, shift=most)
    data, loss = load_scenes(protocol, "cpu", None), Recorded([1.0])
    fit(Scale(), loss, data, protocol, protocol.rate, 0)
    given = {scene.numpy().tobytes() for _, labels in loss.batches for scene in labels}
    unmoved = {scene.numpy().tobytes() for scene in data["train"].labels}
    assert (given == unmoved) == (most == 0)


def test_digits_of_mnist_are_those_that_are_trained(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    protocol = dataclasses.replace(TINY, digits="MNIST")
    data = load_scenes(protocol, "cpu", tmp_path)
    expected, labels = scenes(
        TINY.train, mnist=tmp_path, size=16, instances=1, digit_size=(8, 12), overlap=0.1, noise=0.1
    )
    assert torch.equal(data["train"].labels, torch.from_numpy(labels))
    assert torch.equal(data["train"].images[:, 0], torch.from_numpy(expected))
    assert not torch.equal(data["train"].labels, load_scenes(TINY, "cpu", None)["train"].labels)
    row = carry_out(Run("Dice", 2, 3, 0), protocol, mnist=tmp_path)
    assert "digits=MNIST" in row.protocol


@pytest.mark.parametrize(("digits", "given"), [("MNIST", False), ("scikit-learn", True)])
def test_digits_other_than_the_protocol_says_are_refused(digits: str, given: bool, tmp_path: Path) -> None:
    protocol = dataclasses.replace(TINY, digits=digits)
    with pytest.raises(ValueError, match=f"digits from {digits}; the folder of MNIST is"):
        carry_out(Run("Dice", 2, 3, 0), protocol, mnist=tmp_path if given else None)


def test_shifts_move_image_and_labels_alike_and_lose_nothing() -> None:
    labels = torch.arange(50 * 7 * 7).reshape(50, 7, 7)
    both = torch.stack([-labels, labels], 1)
    images, moved = shift([both.float(), labels[:, None]], 2, torch.Generator().manual_seed(0))
    assert torch.equal(images, torch.cat([-moved, moved], 1).float())
    found = set()
    for before, after in zip(labels, moved[:, 0], strict=True):
        down, right = divmod(int((after == before[0, 0]).flatten().nonzero()), 7)
        assert torch.equal(after, before.roll((down, right), (0, 1)))
        found.add(((down + 2) % 7 - 2, (right + 2) % 7 - 2))
    assert {down for down, _ in found} == {right for _, right in found} == {-2, -1, 0, 1, 2}
    assert len(found) > 15  # the two axes are drawn apart


def test_fine_tuning_starts_from_the_other_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[tuple[str, float, dict[str, torch.Tensor], dict[str, torch.Tensor]]] = []

    def recorded(
        network: nn.Module, loss: nn.Module, data: Any, protocol: Any, rate: float, seed: int
    ) -> Any:
        before = copy.deepcopy(network.state_dict())
        done = fit(network, loss, data, protocol, rate, seed)
        fits.append((type(loss).__name__, rate, before, copy.deepcopy(network.state_dict())))
        return done

    monkeypatch.setattr(training, "fit", recorded)
    carry_out(Run("cross-entropy", 2, 3, 0), TINY)
    kept = carry_out(Run("pointwise exponential", 2, 3, 0), TINY)
    training.from_scratch.cache_clear()
    anew = carry_out(Run("pointwise exponential", 2, 3, 0), TINY)
    first, second, again, fourth = fits
    assert [name for name, *_ in fits] == ["CrossEntropyLoss", "PointwiseExponentialLoss"] * 2
    assert [rate for _, rate, *_ in fits] == [1e-3, 1e-4] * 2
    for name, weights in first[3].items():
        assert torch.equal(second[2][name], weights)
        assert torch.equal(fourth[2][name], again[3][name])
        assert torch.equal(again[3][name], weights)
    assert str(kept.iou) == str(anew.iou)


def test_centres_move_in_training_alone() -> None:
    protocol = dataclasses.replace(TINY, train=8, epochs=1, batch_size=8)
    data, loss = load_scenes(protocol, "cpu", None), ADAPTIVE["center"]()
    moved: list[torch.Tensor] = []
    loss.register_forward_hook(lambda *_: moved.append(loss.state_dict()["centers"].clone()))
    fit(UNet(CLASSES, 2, 3), loss, data, protocol, protocol.rate, 0)
    trained, validated = moved
    assert trained.abs().max() > 0
    assert torch.equal(trained, validated)


def test_the_splits_differ() -> None:
    data = load_scenes(TINY, "cpu", None)
    few = [data[split].images[: TINY.test] for split in ("train", "validation", "test")]
    assert not torch.equal(few[0], few[1])
    assert not torch.equal(few[0], few[2])
    assert not torch.equal(few[1], few[2])


def test_a_prediction_does_not_depend_on_the_other_images() -> None:
    torch.manual_seed(0)
    network, images = UNet(CLASSES, 2, 3), torch.randn(3, 1, 16, 16)
    together, alone = predict(network, images), predict(network, images[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_every_batch_moves_the_statistics_of_batch_normalisation() -> None:
    network, loss = UNet(CLASSES, 2, 3), Recorded([3.0, 2.0, 1.0])
    protocol = dataclasses.replace(TINY, epochs=3)
    fit(network, loss, load_scenes(protocol, "cpu", None), protocol, protocol.rate, 0)
    batches = protocol.epochs * math.ceil(protocol.train / protocol.batch_size)
    assert network.state_dict()["down.0.1.num_batches_tracked"] == batches


def test_what_is_reported_is_of_the_test_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right predictions there alone give 1 for every class, and for classes that a scene lacks."""
    protocol = dataclasses.replace(TINY, test=5)
    test = load_scenes(protocol, "cpu", None)["test"]

    def right_in_tests(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        if images is test.images:
            return nn.functional.one_hot(test.labels, CLASSES).movedim(-1, 1)
        return predict(network, images)

    monkeypatch.setattr(training, "predict", right_in_tests)
    row = carry_out(Run("cross-entropy", 2, 3, 0), protocol)
    assert [iou for iou in row.iou if not math.isnan(iou)] == [1.0] * len(test.labels.unique())
    assert row.iou_by_scene == 1.0

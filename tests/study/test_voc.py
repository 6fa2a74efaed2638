"""The comparison on VOC 2012, on a small folder of its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from study import results, voc
from study.voc import CLASSES, IGNORED, LOSSES, Protocol, Row, Run, Voc, batch, main, page

MODEL = f"{__name__}:small_network"
TINY = Protocol(iterations=4, crop=12, checkpoint=2)


class Network(nn.Module):
    """Logits of half the size in a dict, and something random in training."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, num_classes, 2, stride=2), nn.Dropout2d(0.1))

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"out": self.layers(images)}


def small_network(*, num_classes: int) -> nn.Module:
    return Network(num_classes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images for training and two for testing, none as large as another, with a border that has no label."""
    random = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (tmp_path / "VOC2012" / folder).mkdir(parents=True)
    for i in range(5):
        height, width = 10 + 5 * i, 20
        labels = random.integers(0, CLASSES, (height, width)).astype(np.uint8)
        labels[0] = IGNORED
        picture = Image.fromarray(labels)
        picture.putpalette(list(range(256)) * 3)
        picture.save(tmp_path / "VOC2012" / "SegmentationClass" / f"2007_00000{i}.png")
        colours = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
        Image.fromarray(colours).save(tmp_path / "VOC2012" / "JPEGImages" / f"2007_00000{i}.jpg")
    for name, chosen in {"train": range(3), "val": range(3, 5)}.items():
        listed = "".join(f"2007_00000{i}\n" for i in chosen)
        (tmp_path / "VOC2012" / "ImageSets" / "Segmentation" / f"{name}.txt").write_text(listed)
    return tmp_path / "VOC2012"


def arguments(root: Path, output: Path, *more: str) -> list[str]:
    given = [
        "--root",
        root,
        "--model",
        MODEL,
        "--output",
        output,
        "--iterations",
        4,
        "--crop",
        12,
        "--device",
        "cpu",
    ]
    return [*map(str, given), *more]


def test_images_and_labels(root: Path) -> None:
    data = Voc(root, "val")
    assert data.names == ["2007_000003", "2007_000004"]
    image, labels = data[0]
    assert (image.shape, image.dtype) == ((3, 25, 20), np.float32)
    assert (labels.shape, labels.dtype) == ((25, 20), np.int64)
    assert (labels[0] == IGNORED).all()
    assert labels[1:].max() < CLASSES
    with Image.open(root / "JPEGImages" / "2007_000003.jpg") as file:
        colour = np.asarray(file)[7, 5] / 255
    assert image[:, 7, 5] * voc.DEVIATION + voc.MEAN == pytest.approx(colour, abs=1e-6)


def test_batches_are_crops_of_an_image_and_its_labels(root: Path) -> None:
    """Where a label is known, the colours beside it are those of the same pixel."""
    data = Voc(root, "train")
    images, labels = batch(data, TINY, 0, 3)
    assert (images.shape, labels.shape) == ((2, 3, 12, 12), (2, 12, 12))
    again, _ = batch(data, TINY, 0, 3)
    other, _ = batch(data, TINY, 0, 4)
    assert torch.equal(images, again)
    assert not torch.equal(images, other)
    known = {
        (*image[:, row, column].tolist(), int(label[row, column]))
        for image, label in (data[i] for i in range(len(data)))
        for row in range(label.shape[0])
        for column in range(label.shape[1])
    }
    for image, label in zip(images, labels, strict=True):
        for row, column in (label != IGNORED).nonzero().tolist():
            assert (*image[:, row, column].tolist(), int(label[row, column])) in known


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda root: (root / "ImageSets" / "Segmentation" / "train.txt").unlink(),
            "must be the folder VOC2012",
        ),
        (lambda root: (root / "ImageSets" / "Segmentation" / "train.txt").write_text(""), "names no image"),
        (
            lambda root: Image.new("RGB", (20, 10)).save(root / "SegmentationClass" / "2007_000000.png"),
            "mode RGB; VOC's labels are indices",
        ),
        (
            lambda root: Image.new("L", (21, 10)).save(root / "SegmentationClass" / "2007_000000.png"),
            r"shape \(10, 21\), its image \(10, 20\)",
        ),
        (
            lambda root: Image.new("L", (20, 10), 30).save(root / "SegmentationClass" / "2007_000000.png"),
            "other than 0 to 20 and 255",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(root: Path, change: object, message: str) -> None:
    change(root)  # type: ignore[operator]
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Voc(root, "train")[0]


def test_a_model_must_be_named_with_its_module() -> None:
    with pytest.raises(ValueError, match="must be named as module:function, got 'resnet'"):
        voc.model_named("resnet")


def test_every_loss_a_row_and_a_table(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert main(arguments(root, output)) == 0
    rows = results.read(output / "results.csv", Row)
    assert [row.run for row in rows] == [Run(loss, MODEL, 0) for loss in LOSSES]
    for row in rows:
        iou = np.array(row.iou.split(), float)
        assert len(iou) == CLASSES
        assert row.mean_iou == pytest.approx(np.nanmean(iou), abs=1e-4)
    text = (output / "voc.md").read_text()
    assert f"| cross-entropy | 0.746 | {rows[0].mean_iou:.4f} | 1 |  |  |" in text
    assert sorted(path.name for path in output.iterdir()) == ["results.csv", "voc.md"]
    before = (output / "results.csv").read_bytes()
    main(arguments(root, output))
    assert (output / "results.csv").read_bytes() == before


def test_a_stopped_training_goes_on_as_if_it_had_not_been(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three of four iterations, one of them after the checkpoint; dropout and centres go on as well."""
    run = Run("center", MODEL, 0)

    def trained(folder: str) -> dict[str, torch.Tensor]:
        (tmp_path / folder).mkdir(exist_ok=True)
        network = voc.train(run, Voc(root, "train"), TINY, "cpu", tmp_path / folder / "checkpoint.pt")
        return network.state_dict()

    whole = trained("whole")
    seen: list[int] = []

    def stops(data: Voc, protocol: Protocol, seed: int, iteration: int) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(iteration)
        if seen == [0, 1, 2, 3]:
            raise KeyboardInterrupt
        return batch(data, protocol, seed, iteration)

    monkeypatch.setattr(voc, "batch", stops)
    with pytest.raises(KeyboardInterrupt):
        trained("stopped")
    for name, weights in trained("stopped").items():
        assert torch.equal(weights, whole[name])
    assert seen == [0, 1, 2, 3, 2, 3]


def test_a_checkpoint_of_another_run_is_not_taken(root: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    first = voc.carry_out(Run("center", MODEL, 0), root, TINY, "cpu", checkpoint)
    assert checkpoint.exists()
    voc.carry_out(Run("center", MODEL, 1), root, TINY, "cpu", checkpoint)
    again = voc.carry_out(Run("center", MODEL, 0), root, TINY, "cpu", checkpoint)
    assert again.iou == first.iou


def test_what_has_no_label_does_not_count(root: Path) -> None:
    """A network that is right wherever there is a label has an IoU of 1."""
    data = Voc(root, "val")
    seen = iter(range(len(data)))

    class Right(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            _, labels = data[next(seen)]
            answer = torch.zeros(1, *images.shape[-2:], dtype=torch.int64)
            answer[0, : labels.shape[0], : labels.shape[1]] = torch.from_numpy(
                np.where(labels == IGNORED, 7, labels)
            )
            return nn.functional.one_hot(answer, CLASSES).movedim(-1, 1).float()

    assert voc.test(Right(), data, "cpu").tolist() == [1.0] * CLASSES


def test_the_page_by_hand() -> None:
    about = {"iou": "", "seconds": 1.0, "device": "cpu", "versions": "", "date": "", "protocol": str(TINY)}
    values = {"cross-entropy": (0.5, 0.6), "center": (0.52, 0.64)}
    rows = [
        Row(loss, "a:b", seed, value, **about)  # type: ignore[arg-type]
        for loss, both in values.items()
        for seed, value in enumerate(both)
    ]
    text = page(rows)
    assert "| cross-entropy | 0.746 | 0.5500 | 2 |  |  |" in text
    assert "| center | 0.745 | 0.5800 | 2 | +0.0300 ± 0.1271 (2 of 5) |  |" in text
    assert "| ensemble |  | missing | 0 |  |  |" in text

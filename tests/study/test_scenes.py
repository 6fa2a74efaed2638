"""Scenes: the same bytes for the same parameters, and every parameter does what it says."""

from __future__ import annotations

import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import scenes as module
from examples.scenes import (
    CLASSES,
    SPLITS,
    class_iou,
    mean_iou,
    mnist_digits,
    scenes,
    scikit_learn_digits,
)

SMALL = {"size": 28, "instances": 4, "digit_size": (8, 12)}


def hashes(**parameters: object) -> list[str]:
    return [hashlib.sha256(array).hexdigest() for array in scenes(5, **SMALL | parameters)]  # type: ignore[arg-type]


def test_the_same_parameters_give_the_same_bytes_in_another_process() -> None:
    program = "from tests.study.test_scenes import hashes; print(hashes(seed=3))"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(hashes(seed=3))


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"split": "test"}, {"instances": 3}, {"digit_size": (9, 12)}, {"noise": 0.2},
              {"overlap": 1.0}, {"imbalance": 0.5}, {"size": 32}],
)  # fmt: skip
def test_other_parameters_give_other_scenes(other: dict[str, object]) -> None:
    assert hashes(**other)[0] != hashes()[0]


def test_shapes_and_types() -> None:
    images, labels = scenes(5, **SMALL)
    assert images.shape == labels.shape == (5, 28, 28)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert labels.min() == 0
    assert labels.max() < CLASSES


def test_without_noise_ink_is_what_is_labelled() -> None:
    images, labels = scenes(20, noise=0.0, **SMALL)
    assert np.array_equal(images > 0, labels > 0)
    assert images[labels > 0].min() >= np.float32(0.3)


def test_noise_is_that_of_its_standard_deviation() -> None:
    clean, labels = scenes(50, noise=0.0, **SMALL)
    noisy, same_labels = scenes(50, noise=0.3, **SMALL)
    assert np.array_equal(labels, same_labels)
    assert (noisy - clean).std() == pytest.approx(0.3, rel=0.02)


def test_imbalance_makes_late_digits_rare() -> None:
    def share_of_last_five(imbalance: float) -> float:
        _, labels = scenes(200, imbalance=imbalance, **SMALL)
        return (labels > 5).sum() / (labels > 0).sum()

    assert share_of_last_five(0.0) == pytest.approx(0.5, abs=0.1)
    assert share_of_last_five(0.5) < 0.1


def test_overlap_bounds_what_is_covered() -> None:
    """The ink of all digits together is less where they may cover one another."""

    def ink(overlap: float) -> int:
        return (scenes(100, size=28, instances=3, digit_size=(10, 10), overlap=overlap)[1] > 0).sum()

    assert ink(0.0) > ink(0.5) > 0


@pytest.mark.parametrize(("overlap", "found"), [(0.0, {1, 2}), (1.0, {1, 2, 3})])
def test_overlap_is_of_ink(overlap: float, found: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits as large as the scene: 0 and 1 have ink in halves of their own, 2 in part of both."""
    halves = np.zeros((3, 8, 8))
    halves[0, :4], halves[1, 4:], halves[2, 3:5] = 1, 1, 1
    drawn = iter([[0, 1, 2]])

    class InOrder(np.random.Generator):
        def choice(self, *given: object, **more: object) -> list[int]:  # type: ignore[override]
            return next(drawn)

    monkeypatch.setattr(module, "scikit_learn_digits", lambda split: module.Digits(halves, np.arange(3)))
    monkeypatch.setattr(np.random, "default_rng", lambda seed: InOrder(np.random.PCG64(seed)))
    _, labels = scenes(1, size=8, instances=3, digit_size=(8, 8), overlap=overlap)
    assert set(np.unique(labels)) - {0} == found


def test_one_instance_is_one_digit() -> None:
    _, labels = scenes(100, size=64, instances=1, digit_size=(16, 16))
    assert all(len(np.unique(label)) == 2 for label in labels)
    assert len(np.unique(labels)) == CLASSES


def test_splits_share_no_digit() -> None:
    parts = [scikit_learn_digits(split) for split in SPLITS]
    assert sum(len(part.shown) for part in parts) == 1797
    seen = [{image.tobytes() for image in part.images} for part in parts]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert all(set(part.shown) == set(range(10)) for part in parts)


def write_idx(path: Path, array: np.ndarray, packed: bool) -> None:
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)


def write_mnist(folder: Path, packed: bool = False) -> None:
    """Twelve digits for training, the last two of them for validation, and six for testing."""
    mnist_digits.cache_clear()
    random = np.random.default_rng(0)
    for name, count in (("train", 12), ("t10k", 6)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(folder / f"{name}-images-idx3-ubyte", images, packed)
        write_idx(folder / f"{name}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8) % 10, packed)


@pytest.fixture(params=[False, True], ids=["plain", "packed"])
def mnist(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    write_mnist(tmp_path, request.param)
    return tmp_path


def test_mnist_files(mnist: Path) -> None:
    train, validation, test = (mnist_digits(split, mnist) for split in SPLITS)
    assert train.shown.tolist() == [*range(10)]
    assert validation.shown.tolist() == [0, 1]
    assert test.shown.tolist() == [*range(6)]
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (12, 28, 28), dtype=np.uint8)
    assert np.array_equal(np.concatenate([train.images, validation.images]) * 255, images)


def test_scenes_of_mnist(mnist: Path) -> None:
    images, labels = scenes(20, split="validation", mnist=mnist, **SMALL)
    assert set(np.unique(labels)) <= {0, 1, 2}
    assert labels.max() > 0
    assert images.max() > 0.9


def test_mnist_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"neither train-images-idx3-ubyte nor train-images-idx3-ubyte\.gz"
    ):
        scenes(1, mnist=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>", "starts with 3c 21 44; an IDX file of bytes starts with 00 00 08"),
        (
            bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 28, 28) + bytes(100),
            r"has 100 bytes .* says \[2, 28, 28\]",
        ),
        (bytes([0, 0, 8, 3]) + struct.pack(">I", 2), "ends after 8 bytes, within its header"),
        (bytes([0, 0, 8]), "ends after 3 bytes, within its header"),
    ],
    ids=["no IDX file", "half a file", "half a header", "less than a header"],
)
def test_mnist_that_is_broken(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{path} {message}"):
        mnist_digits("train", tmp_path)


@pytest.mark.parametrize(
    "content", [gzip.compress(bytes(range(200)))[:-20], b"\x1f\x8b" + bytes(30), b"<!DOCTYPE html>"],
    ids=["half a file", "wrong method", "no gzip file"],
)  # fmt: skip
def test_mnist_that_is_packed_badly(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{path} is no whole gzip file: "):
        mnist_digits("train", tmp_path)


def test_mnist_labels_that_are_no_digits(mnist: Path) -> None:
    for path in mnist.glob("train-labels*"):
        path.unlink()
    write_idx(mnist / "train-labels-idx1-ubyte", np.full(12, 25, np.uint8), packed=False)
    with pytest.raises(ValueError, match="train labels up to 25; those of digits go from 0 to 9"):
        mnist_digits("train", mnist)


def test_mnist_labels_of_other_images(mnist: Path) -> None:
    for path in mnist.glob("train-labels*"):
        path.unlink()
    write_idx(mnist / "train-labels-idx1-ubyte", np.zeros(5, np.uint8), packed=False)
    with pytest.raises(ValueError, match=r"shape \(12, 28, 28\) and labels of shape \(5,\)"):
        mnist_digits("train", mnist)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"split": "tests"}, "one of train, validation, test, got 'tests'"),
        ({"size": 10, "digit_size": (8, 12)}, r"at most size=10, got \(8, 12\)"),
        ({"digit_size": (12, 8)}, r"got \(12, 8\)"),
        ({"imbalance": 1.0}, r"in \[0, 1\), got 1.0"),
        ({"overlap": -0.1}, r"overlap must be in \[0, 1\], got -0.1"),
    ],
)
def test_wrong_parameters(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenes(1, **parameters)  # type: ignore[arg-type]


def test_iou_by_hand() -> None:
    labels, predicted = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 2]])
    iou = class_iou(labels, predicted)
    assert iou[:3].tolist() == [1 / 2, 1 / 3, 0]
    assert np.isnan(iou[3:]).all()
    assert mean_iou(labels, predicted) == pytest.approx((1 / 2 + 1 / 3) / 3)

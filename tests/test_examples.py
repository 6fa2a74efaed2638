"""The examples run, on little data; whether they learn is for `make demo` to say."""

import os
import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from seglosses_torch import CrossEntropyLoss, DiceLoss, PowerJaccardLoss

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*command: object, warnings: str = "error", **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", warnings, *map(str, command)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "length"), [("train_torch", "steps"), ("train_jax", "steps"), ("train_keras", "epochs")]
)
def test_training(script: str, length: str) -> None:
    printed = run(EXAMPLES / f"{script}.py", f"--{length}", 2, "--scenes", 16, "--size", 32)
    assert "mean IoU after" in printed


def test_two_processes_train_as_one() -> None:
    printed = run(EXAMPLES / "train_ddp.py", "--steps", 3, "--size", 24)
    assert "bit for bit: True" in printed
    assert float(printed.rpartition(":")[2]) < 1e-12


def test_a_volume_in_slabs() -> None:
    printed = run(EXAMPLES / "stream_volume.py", "--depth", 14, "--side", 24, "--planes", 5, "--budget", 0)
    assert float(printed.rpartition(":")[2]) < 1e-4


@pytest.mark.parametrize(
    ("script", "library", "length"),
    [
        ("jax_preset", "optax", ("--steps", 8)),
        ("keras_preset", "keras", ("--epochs", 2)),
        ("lightning_module", "lightning", ("--steps", 12)),
        ("monai_unet", "monai", ("--steps", 8)),
        ("nnunet_trainer", "nnunetv2", ("--epochs", 2, "--iterations", 6)),
        ("segformer", "transformers", ("--steps", 16)),
    ],
)
def test_with_another_library(script: str, library: str, length: tuple[object, ...]) -> None:
    """The loss falls; what the library warns of is its own."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    small = () if script == "nnunet_trainer" else ("--scenes", 16, "--size", 32)
    printed = run(EXAMPLES / f"{script}.py", *length, *small, warnings="default")
    found = re.findall(r"loss ([\d.]+) at first, ([\d.]+) in the end", printed)
    assert found, printed
    assert all(float(last) < float(first) for first, last in found), printed


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Those for nnU-Net, on a stand-in for its own."""
    package = "nnunetv2.training.nnUNetTrainer"
    for name in ("nnunetv2", "nnunetv2.training", package):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    stand_in = SimpleNamespace(nnUNetTrainer=SimpleNamespace)
    monkeypatch.setitem(sys.modules, f"{package}.nnUNetTrainer", stand_in)
    return runpy.run_path(str(EXAMPLES / "nnunet_trainer.py"))


@pytest.mark.parametrize("batch_dice", [False, True])
@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("kind", ["labels", "regions", "power"])
def test_trainers_of_nnunet(kind: str, ignored: bool, batch_dice: bool, trainers: dict[str, Any]) -> None:
    """Batch Dice, what is ignored, and regions as the plan has them; nnU-Net's weights of three outputs."""
    over, label, regions = "batch" if batch_dice else "image", 3 if ignored else None, kind == "regions"
    trainer = trainers["nnUNetTrainerPowerJaccard" if kind == "power" else "nnUNetTrainerSegLosses"](
        configuration_manager=SimpleNamespace(batch_dice=batch_dice),
        label_manager=SimpleNamespace(has_regions=regions, ignore_label=label, has_ignore_label=ignored),
        is_ddp=False,
        enable_deep_supervision=True,
    )
    random = torch.Generator().manual_seed(0)
    outputs = [torch.randn(2, 3, side, side, generator=random) for side in (8, 4, 2)]
    shapes = [z.shape[2:] for z in outputs]
    if regions:  # and a channel for what is ignored
        targets = [torch.rand(2, 3 + ignored, *shape, generator=random).round() for shape in shapes]
    else:
        targets = [torch.randint(3 + ignored, (2, 1, *shape), generator=random).short() for shape in shapes]

    def expected(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if regions:
            given = {"mask": y[:, 3] == 0} if ignored else {}
            dice = DiceLoss(activation="sigmoid", aggregate=over)
            entropy = (3 if ignored else 1) * CrossEntropyLoss(activation="sigmoid")
            return (dice + entropy)(z, y[:, :3], **given) - 1
        options = {"aggregate": over, "include_background": False, "ignore_index": label}
        region = PowerJaccardLoss(p=1.5, **options) if kind == "power" else DiceLoss(**options)
        total = (region + CrossEntropyLoss(ignore_index=label))(z, y[:, 0])
        return total if kind == "power" else total - 1

    value = sum(
        weight * expected(z, y) for weight, z, y in zip((2 / 3, 1 / 3), outputs, targets, strict=False)
    )
    torch.testing.assert_close(trainer._build_loss()(outputs, targets), value)


def test_a_trainer_of_nnunet_under_ddp(trainers: dict[str, Any]) -> None:
    for name in ("nnUNetTrainerSegLosses", "nnUNetTrainerPowerJaccard"):
        trainer = trainers[name](
            configuration_manager=SimpleNamespace(batch_dice=True),
            label_manager=SimpleNamespace(has_regions=False, ignore_label=None, has_ignore_label=False),
            is_ddp=True,
            enable_deep_supervision=True,
        )
        loss = trainer._build_loss().loss
        assert repr(loss._across.images) == "'world'"
        assert loss._across.pixels is None


def all_or_every(step: int, *frameworks: str) -> list[object]:
    """Every loss is slow where each is compiled."""
    slow = [pytest.param(name, 1, marks=pytest.mark.slow) for name in frameworks]
    return [*((name, step) for name in frameworks), *slow]


@pytest.mark.parametrize(
    ("framework", "step"), [("numpy", 1), ("torch", 1), *all_or_every(8, "jax", "keras")]
)
def test_every_loss(framework: str, step: int, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    inputs, outputs = tmp_path / "inputs.npz", tmp_path / "outputs.npz"
    logits = random.normal(size=(2, 4, 6, 6)).astype(np.float32)
    np.savez(inputs, logits=logits, labels=random.integers(0, 4, (2, 6, 6)))
    package = (
        "seglosses_core" if framework == "numpy" else f"seglosses_{framework}"
    )  # it takes all losses first
    some = f"seglosses_core.LOSSES = seglosses_core.LOSSES[::{step}]"
    program = f"import every_loss, seglosses_core, {package}; {some}; every_loss.main()"
    run("-c", program, framework, inputs, outputs, PYTHONPATH=str(EXAMPLES))
    found = np.load(outputs)
    assert found.files
    assert all(np.isfinite(found[name]).all() for name in found.files)


def test_the_catalogue() -> None:
    """What is made as it is, with hyper-parameters that it needs, and beside cross-entropy."""
    chosen = [
        "DiceLoss",
        "CenterLoss",
        "LogitAdjustedCrossEntropyLoss",
        "MeanSquaredErrorLoss",
        "HausdorffDTLoss",
    ]
    printed = run(
        EXAMPLES / "catalogue.py", "--steps", 12, "--scenes", 16, "--losses", *chosen, COLUMNS="120"
    )
    assert all(name.removesuffix("Loss") in printed for name in chosen)
    assert "HausdorffDT + CrossEntropy" in printed


def test_the_catalogue_knows_what_does_not_fall() -> None:
    program = (
        "import catalogue; print([catalogue.fell(x) for x in ([2, 1], [1, 2], [2, 1, float('nan'), 1])])"
    )
    assert run("-c", program, PYTHONPATH=str(EXAMPLES)).strip() == "[True, False, False]"


def test_scenes_repeat() -> None:
    program = (
        "import hashlib, scenes; print([hashlib.sha256(x).hexdigest() for x in scenes.scenes(3, size=32)])"
    )
    assert run("-c", program, PYTHONPATH=str(EXAMPLES)) == run("-c", program, PYTHONPATH=str(EXAMPLES))

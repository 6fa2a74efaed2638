"""The examples run, on little data; whether they learn is for `make demo` to say."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, command)],
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

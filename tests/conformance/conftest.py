"""A module of somebody's own losses, for whoever runs the command on it."""

from __future__ import annotations

from pathlib import Path

import pytest

OWN = """
import os
import pathlib
import subprocess
import numpy as np
import seglosses_core

def dice(logits, target, smooth=1e-5):
    return seglosses_core.DiceLoss(smooth=smooth).value_and_grad(logits, target)

def parting(logits, target, smooth=1e-5):
    value, gradient = dice(logits, target, smooth)
    gradient = gradient.copy()
    gradient[1, 2, 0, 1] += 0.5
    return value, gradient

def foreign(y_pred, y_true, *, eps, batch=False, doubled=False):
    loss = seglosses_core.DiceLoss(smooth=eps, aggregate="batch" if batch else "image")
    value, gradient = loss.value_and_grad(y_pred, y_true[:, 0])
    return value, 2 * gradient if doubled else gradient

def strict(logits, target):
    if target.max() > 2:
        raise ValueError("a label that is no class")
    return dice(logits, target)

def ending(logits, target):
    os._exit(7)

def value_alone(logits, target, smooth=1e-5):
    return dice(logits, target, smooth)[0]

other_value = value_alone

def doubled(logits, target):
    value, gradient = dice(logits, target)
    return value, 2 * gradient

def nothing(logits, target):
    pass

def hanging(logits, target, smooth=1e-5):
    if smooth == 1:
        child = subprocess.Popen(["sleep", "600"])
        pathlib.Path("child").write_text(str(child.pid))
        child.wait()
    return dice(logits, target, smooth)

class Dice:
    def __init__(self, reduction="mean"):
        self.loss = seglosses_core.DiceLoss(reduction=reduction)

    def __call__(self, logits, target, mask=None):
        return self.loss.value_and_grad(logits, target, mask=mask)

number = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return ["--framework", "numpy", "--losses", "DiceLoss", "--dtypes", "float64"]

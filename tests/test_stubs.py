"""What editors and type checkers see of the adapters, whose classes are made at import."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from seglosses_core.presets import PEERS

ROOT = Path(__file__).parent.parent

# A wrong line that mypy accepted would make its own comment an error: unused ignores are errors in pyproject.toml.
USE = """\
from typing import Any, assert_type

import numpy as np
import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
import torch
from jax import Array
from seglosses_core.presets.smp import DiceLoss as DiceOfSmp
from seglosses_jax.presets import optax
from seglosses_jax.presets.monai import DiceLoss as DiceInJax
from seglosses_keras.presets.keras import Tversky
from seglosses_torch.presets.monai import DiceLoss
from seglosses_torch.presets.transformers import dice_loss

x, t = torch.zeros(2, 3, 4), torch.zeros(2, 4, dtype=torch.int64)
dice = seglosses_torch.DiceLoss(smooth=1.0, class_weights=x[0, :, 0])
assert_type(dice(x, t, mask=t), torch.Tensor)
seglosses_torch.PowerDiceLoss(p=seglosses_torch.LearnablePower(1.5))
seglosses_torch.LocallyAdaptiveLoss(cost=seglosses_torch.FocalLoss(), reduction=seglosses_torch.TopK(fraction=0.2))
ensemble = seglosses_torch.EnsembleLoss(losses=[dice, dice], weights=seglosses_torch.LearnableWeights([1.0, 2.0]))
total: seglosses_torch.TorchLoss = 0.3 * dice + dice
center = seglosses_torch.CenterLoss(num_classes=3, rate=0.1)
assert_type(center(x, t, features=x), torch.Tensor)
assert_type(center.centers, torch.Tensor)
seglosses_torch.DiceLoss(smoth=1.0)  # type: ignore[call-arg]
seglosses_torch.DiceLoss("softmax")  # type: ignore[call-arg]
seglosses_torch.DiceLoss(smooth="a lot")  # type: ignore[arg-type]
seglosses_torch.DiceLoss(activation="sofmax")  # type: ignore[arg-type]
seglosses_torch.DiceLoss(reduction="mean_with_sample_weight")  # type: ignore[arg-type]
seglosses_torch.DiceLoss(reduction=seglosses_torch.TopK(), class_weights=seglosses_torch.LearnableWeights([1.0, 2.0]))
seglosses_torch.CenterLoss(rate=0.1)  # type: ignore[call-arg]
dice(x, t, x)  # type: ignore[call-arg]
dice(x, t.numpy())  # type: ignore[arg-type]
center(x, t, centers=x)  # type: ignore[call-arg]

z, n = np.zeros((2, 4, 3)), np.zeros((2, 4), dtype=int)
jaccard = seglosses_jax.PowerJaccardLoss(p=1.5)
assert_type(jaccard(z, n), Array)
assert_type(jaccard.value_and_grad(z, n), tuple[Array, Array])
assert_type(jaccard.smooth, float | tuple[float, float])
core: seglosses_core.PowerJaccardLoss = jaccard
moved: Array = seglosses_jax.CenterLoss().updated_centers(z, n, centers=z[0])
seglosses_jax.DiceLoss(aggregate="batches")  # type: ignore[arg-type]
seglosses_jax.DeepSupervisionLoss(loss=jaccard, weights="nnunets")  # type: ignore[arg-type]
seglosses_jax.FocalLoss(beta=1.0)  # type: ignore[call-arg]
seglosses_jax.CenterLoss()(z, n)  # type: ignore[call-arg]
jaccard(z, n, centers=z)  # type: ignore[call-arg]

tversky = seglosses_keras.TverskyLoss(alpha=0.3, reduction="mean_with_sample_weight", name="overlap", dtype="float32")
value: Any = tversky(n, z, sample_weight=n, mask=n)
tversky(n, z, distances=z)  # type: ignore[call-arg]
given: Any = (seglosses_keras.BoundaryLoss() + tversky)(n, z, distances=z)
layer: Any = seglosses_keras.LearnableLoss(seglosses_keras.PowerDiceLoss(p=1.5), learn="p")
layer = seglosses_keras.CenterLoss(num_classes=3)([n, z])
seglosses_keras.TverskyLoss(absent="skipped")  # type: ignore[arg-type]
seglosses_keras.TverskyLoss(gamma=0.3)  # type: ignore[call-arg]
seglosses_keras.CenterLoss(num_classes=3, p=1.5)  # type: ignore[call-arg]
tversky(n, z, n, n)  # type: ignore[call-arg]

preset = DiceLoss(True, softmax=True, to_onehot_y=True, weight=[1.0, 2.0, 3.0])
assert_type(preset(input=x, target=t), torch.Tensor)
assert_type(preset.equivalent(3), seglosses_torch.TorchLoss)
own: seglosses_torch.TorchLoss = preset
assert_type(dice_loss(x, t, 3), torch.Tensor)
assert_type(DiceInJax(class_axis=1)(z, n), Array)
assert_type(optax.dice_loss(z, n, smooth=0.5), Array)
value = Tversky(alpha=0.3)(n, z)
value = DiceOfSmp("multiclass")(y_pred=z, y_true=n)
DiceLoss(sofmax=True)  # type: ignore[call-arg]
DiceLoss(smooth_nr="a little")  # type: ignore[arg-type]
DiceInJax(alpha=0.3)  # type: ignore[call-arg]
DiceOfSmp()  # type: ignore[call-arg]
dice_loss(x, t)  # type: ignore[call-arg]
optax.dice_loss(z, n, 0.5)  # type: ignore[call-arg]
Tversky(gamma=0.3)  # type: ignore[call-arg]

seglosses_core.GeneralizedDiceLoss(weights="squared")  # type: ignore[arg-type]
seglosses_core.DiceLoss(alpha=1.0)  # type: ignore[call-arg]
seglosses_jax.gaussian_heatmap(z, n, (4, 4), num_classes=3, sigma=1.0, class_axis=1)
seglosses_keras.gaussian_heatmap_from_labels(n, classes=3)  # type: ignore[call-arg]
"""


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "scripts" / "make_stubs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_stubs"] = module
    spec.loader.exec_module(module)
    return module


def test_stubs_are_current(generator: ModuleType) -> None:
    made = generator.stubs()
    assert len(made) == 3 + 4 * len(PEERS)
    for path, text in made.items():
        if path.read_text() != text:
            pytest.fail(f"{path} is out of date: run python scripts/make_stubs.py", pytrace=False)


@pytest.mark.parametrize("package", ["seglosses_torch", "seglosses_jax", "seglosses_keras"])
def test_stubs_list_what_the_package_lists(package: str) -> None:
    module = pytest.importorskip(package)
    listed = re.search(
        r"^__all__ = (\[.*?\])", (ROOT / "adapters" / package / "__init__.pyi").read_text(), re.M | re.S
    )
    assert sorted(module.__all__) == ast.literal_eval(listed[1])
    assert all(hasattr(module, name) for name in module.__all__)


def test_stubs_of_presets_list_what_there_is() -> None:
    for peer in PEERS:
        module = importlib.import_module(f"seglosses_core.presets.{peer}")
        text = (ROOT / "seglosses_core" / "presets" / f"{peer}.pyi").read_text()
        listed = ast.literal_eval(re.search(r"^__all__ = (\[.*?\])", text, re.M | re.S)[1])
        assert sorted(listed) == sorted(module.__all__)
        assert re.findall(r"^def (\w+)", text, re.M) == module.__all__


@pytest.mark.parametrize("package", ["seglosses_core", "seglosses_torch", "seglosses_jax", "seglosses_keras"])
def test_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / ("" if package == "seglosses_core" else "adapters") / package / "py.typed").exists()


def test_type_checker_accepts_right_use_and_rejects_wrong(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(USE)
    ran = subprocess.run([sys.executable, "-m", "mypy", str(file)], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr

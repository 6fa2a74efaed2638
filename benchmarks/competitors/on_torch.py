"""PyTorch, eager and compiled, on a CPU or a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import seglosses_torch
from benchmarks.cases import (
    ALPHA,
    DICE_LIKE_LOSSES,
    DISTANCE_MAP,
    GAMMA,
    PIXEL_LOSSES,
    SMOOTH,
    TVERSKY,
    Case,
    iterations,
    ours,
)
from benchmarks.competitors import (
    DICE_ALONE,
    DICE_AND_CROSS_ENTROPY,
    LIMIT,
    OURS,
    PLAIN,
    Competitor,
    Differs,
    signed_distances,
)
from benchmarks.competitors.plain import Names, formula
from benchmarks.memory import resident_peak

Tensor = torch.Tensor


def of_seglosses(case: Case, loss: str) -> Competitor:
    if loss == DISTANCE_MAP:
        distances = seglosses_torch.signed_distance_map
        return Competitor(lambda z, y: (distances(y, num_classes=1) * z).sum(), target="labels")
    return Competitor(ours(seglosses_torch, case, loss))


def dice_alone(case: Case, loss: str) -> Competitor | None:
    return of_seglosses(case, "dice") if loss in ("dice_cross_entropy", *DICE_LIKE_LOSSES) else None


def dice_and_cross_entropy(case: Case, loss: str) -> Competitor | None:
    return of_seglosses(case, "dice_cross_entropy") if loss == "unified_focal" else None


def _windows(x: Tensor, size: int) -> Tensor:
    windows = F.unfold(x, size, padding=size // 2)
    return windows.unflatten(1, (x.shape[1], size * size)).unflatten(-1, x.shape[2:])


NAMES = Names(
    axis=1,
    softmax=lambda z: torch.softmax(z, dim=1),
    log_softmax=lambda z: F.log_softmax(z, dim=1),
    sigmoid=torch.sigmoid,
    log_sigmoid=F.logsigmoid,
    one_hot=lambda y, z: F.one_hot(y, z.shape[1]).movedim(-1, 1).to(z.dtype),
    sum=torch.sum,
    mean=torch.mean,
    expand=torch.unsqueeze,
    windows=_windows,
    like=lambda x, z: torch.as_tensor(x, dtype=z.dtype, device=z.device),
)


def plain(case: Case, loss: str) -> Competitor | None:
    function = formula(NAMES, case, loss)
    return Competitor(function) if function else None


def of_torch(case: Case, loss: str) -> Competitor | None:
    if loss != "cross_entropy":
        return None
    return Competitor(F.binary_cross_entropy_with_logits if case.binary else F.cross_entropy)


def of_monai(case: Case, loss: str) -> Competitor | None:
    from monai import losses

    activation: dict[str, Any] = {"sigmoid": True} if case.binary else {"softmax": True, "to_onehot_y": True}
    once: dict[str, Any] = {"smooth_nr": SMOOTH, "smooth_dr": SMOOTH}
    # MONAI's Jaccard has 2 (Σp + Σy − Σpy) and 2 Σpy where ours has them once.
    twice: dict[str, Any] = {"smooth_nr": 2 * SMOOTH, "smooth_dr": 2 * SMOOTH}
    if loss == "focal":
        if case.binary:
            return Competitor(losses.FocalLoss(gamma=GAMMA, alpha=ALPHA))
        focal = losses.FocalLoss(gamma=GAMMA, use_softmax=True, to_onehot_y=True)
        # Its mean is over pixels and classes, of which all but one are 0.
        return Competitor(lambda z, y: focal(z, y[:, None]) * z.shape[1])
    found = {
        "dice": lambda: losses.DiceLoss(**activation, **once),
        "batch_dice": lambda: losses.DiceLoss(batch=True, **activation, **once),
        "jaccard": lambda: losses.DiceLoss(jaccard=True, **activation, **twice),
        "batch_jaccard": lambda: losses.DiceLoss(jaccard=True, batch=True, **activation, **twice),
        "power_jaccard": lambda: losses.DiceLoss(jaccard=True, squared_pred=True, **activation, **twice),
        "tversky": lambda: losses.TverskyLoss(**TVERSKY, **activation, **once),
        "dice_cross_entropy": lambda: losses.DiceCELoss(**activation, **once),
        # Its ε stands beside sums weighted by 1/T², where 1e-5 is not small.
        "generalized_dice": lambda: losses.GeneralizedDiceLoss(smooth_nr=0.0, smooth_dr=0.0, **activation),
        "mcc": lambda: losses.MCCLoss(**activation, **once),
        "cl_dice": lambda: losses.SoftclDiceLoss(iter_=iterations(case), smooth=1e-9, **activation),
        "hausdorff_dt": lambda: losses.HausdorffDTLoss(include_background=True, **activation),
    }
    if loss not in found:
        return None
    function = found[loss]()
    return Competitor(function if case.binary else lambda z, y: function(z, y[:, None]))


def of_kornia(case: Case, loss: str) -> Competitor | None:
    from kornia import losses

    mean: dict[str, Any] = {"gamma": GAMMA, "reduction": "mean", "ignore_index": None}
    if loss == "focal":
        if case.binary:
            return Competitor(lambda z, y: losses.binary_focal_loss_with_logits(z, y, alpha=ALPHA, **mean))
        # Its mean is over pixels and classes, of which all but one are 0.
        return Competitor(lambda z, y: losses.focal_loss(z, y, alpha=None, **mean) * z.shape[1])
    if loss == "lovasz_softmax":
        return Competitor(losses.lovasz_softmax_loss)
    # Its region losses have ε in the denominator only, which makes no difference of 1e-4 to classes of some pixels.
    found: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "dice": lambda z, y: losses.dice_loss(z, y, average="macro", eps=SMOOTH, ignore_index=None),
        "jaccard": lambda z, y: losses.tversky_loss(z, y, alpha=1.0, beta=1.0, eps=SMOOTH, ignore_index=None),
        "tversky": lambda z, y: losses.tversky_loss(z, y, **TVERSKY, eps=SMOOTH, ignore_index=None),
    }
    if loss not in found:
        return None
    if case.binary:
        raise Differs("a softmax is taken inside, so a single logit gives a constant")
    # It takes images only: a volume becomes one by a view.
    return Competitor(
        lambda z, y: found[loss](z.flatten(3), y.flatten(2)) if z.ndim > 4 else found[loss](z, y)
    )


def of_exacta(case: Case, loss: str) -> Competitor | None:
    from exacta import losses

    common: dict[str, Any] = {
        "activation": case.activation,
        "target_format": "one-hot" if case.binary else "index",
    }
    region = {"smooth": SMOOTH, **common}
    found = {
        "cross_entropy": lambda: losses.DiceCELoss(lambda_dice=0.0, **common),
        "focal": lambda: losses.FocalLoss(gamma=GAMMA, alpha=ALPHA if case.binary else None, **common),
        "dice": lambda: losses.DiceLoss(**region),
        "batch_dice": lambda: losses.DiceLoss(batch_dice=True, **region),
        # With α = β = 1 Tversky's index is Jaccard's.
        "jaccard": lambda: losses.TverskyLoss(alpha=1.0, beta=1.0, **region),
        "batch_jaccard": lambda: losses.TverskyLoss(alpha=1.0, beta=1.0, batch_dice=True, **region),
        "tversky": lambda: losses.TverskyLoss(**TVERSKY, **region),
        "dice_cross_entropy": lambda: losses.DiceCELoss(**region),
    }
    return Competitor(found[loss]()) if loss in found else None


def of_smp(case: Case, loss: str) -> Competitor | None:
    if loss in ("dice", "jaccard", "tversky"):
        raise Differs("always sums over the batch: see batch_dice and batch_jaccard")
    if loss not in ("batch_dice", "batch_jaccard", "lovasz_softmax"):
        return None
    from segmentation_models_pytorch import losses

    if loss == "lovasz_softmax":
        return Competitor(losses.LovaszLoss("multiclass", per_image=True))
    mode = "binary" if case.binary else "multiclass"
    if loss == "batch_dice":  # 1 − (I + s) / (I + ½ FP + ½ FN + s)
        return Competitor(losses.DiceLoss(mode, smooth=SMOOTH / 2))
    return Competitor(losses.JaccardLoss(mode, smooth=SMOOTH))


def of_scipy(case: Case, loss: str) -> Competitor | None:
    if loss != DISTANCE_MAP:
        return None
    distances = signed_distances()
    return Competitor(
        lambda z, y: (torch.from_numpy(distances(y.cpu().numpy())).to(z.device) * z).sum(), target="labels"
    )


def limit(case: Case, loss: str) -> Competitor:
    if loss in PIXEL_LOSSES:
        return Competitor(lambda z, y: z + 1.0)
    return Competitor(lambda z, y: z + z.sum())


LIBRARIES = {
    OURS: of_seglosses,
    DICE_ALONE: dice_alone,
    DICE_AND_CROSS_ENTROPY: dice_and_cross_entropy,
    PLAIN: plain,
    "torch": of_torch,
    "monai": of_monai,
    "kornia": of_kornia,
    "exacta": of_exacta,
    "segmentation_models_pytorch": of_smp,
    "scipy": of_scipy,
    LIMIT: limit,
}


class Runner:
    """Logits and a target in PyTorch, and one way to evaluate a function of them with its gradient."""

    def __init__(
        self,
        competitor: Competitor,
        case: Case,
        logits: np.ndarray,
        target: np.ndarray,
        *,
        mode: str,
        device: str,
        differentiate: bool,
    ) -> None:
        self.device, self.differentiate = device, differentiate
        # Copies in PyTorch's own memory: NumPy's may lie in huge pages.
        self.logits = torch.from_numpy(logits).to(device, getattr(torch, case.dtype), copy=True)
        self.logits.requires_grad_(differentiate)
        self.target = torch.from_numpy(target).to(device, copy=True)
        if target.dtype == np.float32:
            self.target = self.target.to(self.logits.dtype)
        self.function = torch.compile(competitor.function) if mode == "compile" else competitor.function

    def evaluate(self) -> tuple[Tensor, Tensor]:
        """The value and the gradient, for the limit what is written."""
        value = self.function(self.logits, self.target)
        return value, torch.autograd.grad(value, self.logits)[0] if self.differentiate else value

    def wait(self, result: Any) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def numpy(self, result: tuple[Tensor, Tensor]) -> tuple[float, np.ndarray]:
        value, gradient = result
        return float(value.detach()), gradient.float().cpu().numpy()

    def peak(self) -> tuple[int, str]:
        """The most memory that an evaluation takes at once, its result included, and how that was measured."""
        if self.device != "cuda":
            return resident_peak(self.evaluate), "VmHWM"
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        result = self.evaluate()
        torch.cuda.synchronize()
        del result
        return torch.cuda.max_memory_allocated() - before, "CUDA allocator"

    def about(self) -> dict[str, Any]:
        return {
            "device": torch.cuda.get_device_name() if self.device == "cuda" else "",
            "threads": torch.get_num_threads(),
        }

"""What is computed: shapes, losses, and their inputs as NumPy arrays with the class axis 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SMOOTH = 1e-5
GAMMA = 2.0
ALPHA = 0.25
"""Of the focal loss with one class; with several there is no α, since every library gives it another meaning."""
TVERSKY: dict[str, Any] = {"alpha": 0.3, "beta": 0.7}
"""Of false positives and of false negatives."""

PIXEL_LOSSES = ("cross_entropy", "focal")
REGION_LOSSES = ("dice", "jaccard", "tversky", "power_jaccard", "dice_cross_entropy")
LOCAL_LOSSES = ("local_3", "local_5", "local_7")
"""The locally adaptive loss by its window."""
BATCH_LOSSES = ("batch_dice", "batch_jaccard")
"""With sums over the batch, which is all that segmentation_models_pytorch has of these."""
DICE_LIKE_LOSSES = ("generalized_dice", "focal_tversky", "mcc")
"""With the sums of Dice, and another ratio."""
FURTHER_LOSSES = (*DICE_LIKE_LOSSES, "unified_focal")
"""Of which there are few or none elsewhere: beside Dice, or Dice + cross-entropy."""
DISTANCE_MAP = "distance_map"
"""No loss: the signed distance map of the labels times the logits, summed, so that the gradient is the map."""


@dataclass(frozen=True)
class Case:
    """Logits `(N, C, *S)` and what is computed with them."""

    name: str
    shape: tuple[int, ...]
    losses: tuple[str, ...]
    about: str
    dtype: str = "float32"
    grows: str = ""
    """What grows along a series of cases, if this is one of a series."""

    @property
    def classes(self) -> int:
        return self.shape[1]

    @property
    def binary(self) -> bool:
        return self.classes == 1

    @property
    def activation(self) -> str:
        return "sigmoid" if self.binary else "softmax"

    @property
    def pixels(self) -> int:
        return self.shape[0] * math.prod(self.shape[2:])

    @property
    def logits_bytes(self) -> int:
        return math.prod(self.shape) * (4 if self.dtype == "float32" else 2)


MULTICLASS = ("cross_entropy", "focal", "dice", "jaccard", "power_jaccard", "dice_cross_entropy")

CASES = {
    case.name: case
    for case in (
        Case("binary", (16, 1, 512, 512), (*PIXEL_LOSSES, "dice", "jaccard", "tversky"), "binary images"),
        Case("voc", (4, 21, 512, 512), (*MULTICLASS, *BATCH_LOSSES), "the classes of Pascal VOC"),
        Case("ct", (2, 14, 96, 96, 96), (*MULTICLASS, *BATCH_LOSSES), "organs of the abdomen in CT volumes"),
        Case("crop", (2, 14, 64, 64, 64), ("dice",), "crops of CT volumes, beside a neighbour"),
        Case("ade", (2, 150, 512, 512), ("cross_entropy", "dice"), "the classes of ADE20K"),
        Case("voc-more", (4, 21, 512, 512), ("lovasz_softmax", *FURTHER_LOSSES), "as voc, further losses"),
        Case("ct-more", (2, 14, 96, 96, 96), FURTHER_LOSSES, "as ct, further losses"),
        Case("vessels", (2, 1, 512, 512), ("cl_dice", "hausdorff_dt", DISTANCE_MAP), "skeletons, distances"),
        Case("vessels-ct", (1, 1, 64, 96, 96), ("cl_dice",), "skeletons of a volume"),
        Case("lesion", (1, 1, 128, 128, 128), ("hausdorff_dt", DISTANCE_MAP), "distances in a volume"),
        Case("local", (2, 21, 321, 321), LOCAL_LOSSES, "the windows of the locally adaptive loss"),
        Case("small", (8, 4, 64, 64), ("cross_entropy", "dice"), "overhead"),
        Case("ct-half", (2, 14, 96, 96, 96), ("cross_entropy", "dice"), "as ct, in bfloat16", "bfloat16"),
        *(
            Case(f"side-{side}", (1, 21, side, side), ("cross_entropy", "dice"), "growth", grows="pixels")
            for side in (64, 128, 256, 512, 1024)
        ),
        *(
            Case(f"classes-{c}", (2, c, 256, 256), ("cross_entropy", "dice"), "growth", grows="classes")
            for c in (2, 4, 8, 16, 32, 64, 128)
        ),
    )
}


def window(loss: str) -> int:
    """The window of a locally adaptive loss, 0 for any other."""
    return int(loss.removeprefix("local_")) if loss in LOCAL_LOSSES else 0


def make_inputs(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Normal logits in float32 and labels `(N, *S)` in square blocks, every class in every image.

    Blocks, as labels of images are; and no class absent, for libraries do not agree on what such a class counts.
    """
    rng = np.random.default_rng(0)
    batch, classes, *space = case.shape
    logits = rng.standard_normal(case.shape, dtype=np.float32) * 2
    edge = next(e for e in (8, 4, 2, 1) if e == 1 or _cells(space, e) >= 2 * classes)
    present = max(classes, 2)
    labels = np.empty((batch, *space), np.int64)
    for image in labels:
        cells = [math.ceil(n / edge) for n in space]
        blocks = rng.permutation(math.prod(cells)).reshape(cells) % present
        for axis in range(len(space)):
            blocks = np.repeat(blocks, edge, axis=axis)
        image[...] = blocks[tuple(slice(n) for n in space)]
    return logits, labels


def _cells(space: list[int], edge: int) -> int:
    """The whole blocks in an image."""
    return math.prod(n // edge for n in space)


def iterations(case: Case) -> int:
    """Of the skeletons of clDice: half the width of what is thick."""
    return 10 if len(case.shape) == 4 else 5


def ours(package: Any, case: Case, loss: str, **common: Any) -> Any:
    """The loss of one of the packages of this project."""
    common["activation"] = case.activation
    region = {"smooth": SMOOTH, **common}
    found: dict[str, Callable[[], Any]] = {
        "cross_entropy": lambda: package.CrossEntropyLoss(**common),
        "focal": lambda: package.FocalLoss(gamma=GAMMA, alpha=ALPHA if case.binary else None, **common),
        "dice": lambda: package.DiceLoss(**region),
        "jaccard": lambda: package.JaccardLoss(**region),
        "tversky": lambda: package.TverskyLoss(**TVERSKY, **region),
        "power_jaccard": lambda: package.PowerJaccardLoss(p=2.0, **region),
        "dice_cross_entropy": lambda: package.DiceLoss(**region) + package.CrossEntropyLoss(**common),
        "batch_dice": lambda: package.DiceLoss(aggregate="batch", **region),
        "batch_jaccard": lambda: package.JaccardLoss(aggregate="batch", **region),
        "generalized_dice": lambda: package.GeneralizedDiceLoss(**region),
        "focal_tversky": lambda: package.FocalTverskyLoss(**TVERSKY, **region),
        "mcc": lambda: package.MCCLoss(**region),
        "unified_focal": lambda: package.UnifiedFocalLoss(num_classes=case.classes, **common),
        "lovasz_softmax": lambda: package.LovaszSoftmaxLoss(aggregate="image", **common),
        "cl_dice": lambda: package.ClDiceLoss(iterations=iterations(case), **common),
        "hausdorff_dt": lambda: package.HausdorffDTLoss(**common),
    }
    if window(loss):
        return package.LocallyAdaptiveLoss(kernel_size=window(loss), **common)
    if loss not in found:
        raise ValueError(f"No loss is named {loss!r}.")
    return found[loss]()

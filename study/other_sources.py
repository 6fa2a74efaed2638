"""What the other sources claim, as data: which number of which loss should be ahead of which other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from study.losses import CONTINUED
from study.statistics import Comparison, compare

IOU = "mean IoU"
DICE = "mean Dice in points"
ERROR = "error in pixels"
ACCURACY = "peaks of the right digit"
EPOCHS = "epochs to the wanted error"
EDGE_PIXELS = "pixels at edges"
DEVIATION = "deviation at edges"
SMALL_DEVIATION = "deviation that is small"
PULL = "pull at edges"
PULL_SMALL = "pull where the deviation is small"

MEASURES: dict[str, Callable[[Any], float]] = {
    IOU: lambda row: float(np.nanmean(row.iou)),
    DICE: lambda row: 100 * float(np.nanmean([2 * iou / (1 + iou) for iou in row.iou])),
    ERROR: lambda row: row.error,
    ACCURACY: lambda row: row.accuracy,
    EPOCHS: lambda row: float(row.epochs_to_error or len(row.errors.split()) + 1),
    EDGE_PIXELS: lambda row: row.edge_pixels,
    DEVIATION: lambda row: row.deviation_at_edges,
    SMALL_DEVIATION: lambda row: row.deviation_minute,
    PULL: lambda row: row.pull_at_edges,
    PULL_SMALL: lambda row: row.pull_minute,
}
"""Of a row. Where the wanted error was never reached, one epoch more than there were."""
DIGITS = {IOU: 4, DICE: 2, ERROR: 3, EPOCHS: 1}
"""Behind the point; 3 of shares."""


class Number(NamedTuple):
    loss: str
    measure: str

    def by_seed(self, rows: Iterable[Any]) -> dict[int, float]:
        return {row.seed: MEASURES[self.measure](row) for row in rows if row.loss == self.loss}


class Claim(NamedTuple):
    """One number is higher than another."""

    text: str
    """What the source says, in a sentence without its full stop."""
    higher: Number
    lower: Number
    ours: bool = False
    """No claim of the source, but what one asks beside it."""

    def judge(self, rows: Iterable[Any]) -> Comparison | None:
        rows = list(rows)
        return compare(self.higher.by_seed(rows), self.lower.by_seed(rows))


class Source(NamedTuple):
    title: str
    reference: str
    about: str
    """How it was tested here."""
    measures: tuple[str, ...]
    """The columns of its table."""
    claims: tuple[Claim, ...]


LOCAL = {side: f"locally adaptive, {side} × {side}" for side in (3, 5, 7)}
FOCAL = "focal, α = 0.25"
CE = "cross-entropy"
ON_VOC = {LOCAL[5]: 0.761, LOCAL[3]: 0.757, LOCAL[7]: 0.751, CE: 0.746, "center": 0.745, FOCAL: 0.704}
"""Mean IoU of the source, with DeepLab v2 on ResNet-101 after 20,000 iterations."""


def _ahead(text: str, one: str, other: str) -> Claim:
    if one in ON_VOC and other in ON_VOC:
        text += f" ({ON_VOC[one]} against {ON_VOC[other]} there)"
    return Claim(text, Number(one, IOU), Number(other, IOU))


ADAPTIVE = Source(
    "The locally adaptive loss",
    "Guo et al., Locally Adaptive Learning Loss for Semantic Image Segmentation, arXiv:1802.08290, 2018",
    "The source trains DeepLab v2 on PASCAL VOC 2012. Here it is the U-Net of the study with 8 filters and kernels of"
    " 3 × 3 on its scenes of digits, so the order can be compared and no value. *Ensemble* is half cross-entropy and"
    " half the locally adaptive loss of 5 × 5; the source's members and weights are not known here.",
    (IOU,),
    (
        _ahead(
            "locally adaptive, a window of 3 × 3 is better than cross-entropy",
            LOCAL[3],
            CE,
        ),
        _ahead(
            "locally adaptive, a window of 5 × 5 is better than cross-entropy",
            LOCAL[5],
            CE,
        ),
        _ahead(
            "locally adaptive, a window of 7 × 7 is better than cross-entropy",
            LOCAL[7],
            CE,
        ),
        _ahead("locally adaptive, a window of 5 × 5 is better than 3 × 3", LOCAL[5], LOCAL[3]),
        _ahead("locally adaptive, a window of 5 × 5 is better than 7 × 7", LOCAL[5], LOCAL[7]),
        _ahead("the locally adaptive loss is better than the center loss", LOCAL[5], "center"),
        _ahead("the locally adaptive loss is better than the focal loss", LOCAL[5], FOCAL),
        _ahead("the locally adaptive loss is better than loss max-pooling", LOCAL[5], "loss max-pooling"),
        _ahead("cross-entropy is better than the focal loss", CE, FOCAL),
        _ahead("an ensemble with the locally adaptive loss is better than cross-entropy", "ensemble", CE),
    ),
)
LONG = Source(
    "The locally adaptive loss, trained to the end",
    "The same source",
    "The limit of epochs above ends trainings while they still improve. So the same again until the validation loss no"
    " longer falls. This was decided on when the results above were known.",
    (IOU,),
    ADAPTIVE.claims,
)


def _sooner(text: str, one: str, other: str) -> Claim:
    return Claim(text, Number(other, EPOCHS), Number(one, EPOCHS))


AWARE, SQUARED = "distance-aware", "mean squared error"

POINTS = Source(
    "Distance-aware cross-entropy",
    "Du's article on key points; the loss of Law and Deng, CornerNet, arXiv:1808.01244, 2018",
    "The key points are the centres of digits in the same scenes, in a map for each of the ten digits; cross-entropy"
    " and focal loss see 1 at a centre and 0 elsewhere, the other two see CornerNet's Gaussians. Of each scene as many"
    " peaks are taken as it has digits, the highest ones of all maps, and paired with the centres so that the distances"
    " have the least sum. All trainings have the same number of epochs.",
    (EPOCHS, ERROR, ACCURACY),
    (
        _sooner("distance-aware cross-entropy converges faster than cross-entropy", AWARE, CE),
        _sooner("distance-aware cross-entropy converges faster than the focal loss", AWARE, "focal"),
        _sooner(
            "distance-aware cross-entropy converges faster than mean squared error on heat maps",
            AWARE,
            SQUARED,
        ),
        Claim(
            "distance-aware cross-entropy ends nearer to the key points than cross-entropy",
            Number(CE, ERROR),
            Number(AWARE, ERROR),
        ),
        Claim(
            "distance-aware cross-entropy keeps the meaning of a peak, its class, which mean squared error loses",
            Number(AWARE, ACCURACY),
            Number(SQUARED, ACCURACY),
        ),
        Claim(
            "distance-aware cross-entropy keeps the class better than cross-entropy",
            Number(AWARE, ACCURACY),
            Number(CE, ACCURACY),
            ours=True,
        ),
    ),
)

EXPONENTIAL_LOSS, LINEAR, BESIDE = "α = 20, n = 3", "α = 20, n = 1", "α = 20, n = 3, beside cross-entropy"
PEL = "fine-tuning with the pointwise exponential loss"


def _gains(text: str, loss: str, other: str, ours: bool = False) -> Claim:
    return Claim(text, Number(loss, DICE), Number(other, DICE), ours)


EXPONENTIAL = Source(
    "The pointwise exponential loss",
    "Deora, repository bluesky314/PointWise-Exponential-Loss, 2018",
    "A network is trained with cross-entropy until its validation loss no longer falls, then fine-tuned at a tenth of"
    f" the rate. *{CONTINUED}* is fine-tuned with cross-entropy: it tells what training longer gives. The sums run over"
    " the batch, as in the source's code; its patches are not cut here. Alone, α multiplies the"
    " gradient, and Adam divides by its size: what α = 2 and α = 20 differ by there, with n = 3, is rounding and Adam's"
    " ε. The power is on p, not on 1 − p: the numerator pulls at the logit of a pixel's own class by n p^n (1 − p),"
    " which is greatest at p = n/(n + 1), so that a larger n pulls at what is nearly right already.",
    (DICE, PULL, PULL_SMALL),
    (
        _gains(
            f"{PEL} gains a trained network Dice, 1 to 3 points",
            EXPONENTIAL_LOSS,
            CE,
        ),
        _gains(f"{PEL} beside cross-entropy gains Dice", BESIDE, CE),
        _gains(
            f"{PEL} gains more than cross-entropy",
            EXPONENTIAL_LOSS,
            CONTINUED,
            ours=True,
        ),
        _gains(
            f"{PEL} beside cross-entropy gains more than cross-entropy",
            BESIDE,
            CONTINUED,
            ours=True,
        ),
        _gains(
            f"{PEL} gains more with n = 3 than with n = 1, a Dice loss",
            EXPONENTIAL_LOSS,
            LINEAR,
            ours=True,
        ),
        Claim(
            "a trained network deviates most at edges: more of its deviation lies there than of the pixels",
            Number(CE, DEVIATION),
            Number(CE, EDGE_PIXELS),
        ),
        Claim(
            "its power makes the pointwise exponential loss look at edges: with n = 3 more of the pull lies there than"
            " with n = 1",
            Number(EXPONENTIAL_LOSS, PULL),
            Number(LINEAR, PULL),
        ),
        Claim(
            "its power makes the pointwise exponential loss look away from small deviations: with n = 3 less of the"
            " pull lies there than with n = 1",
            Number(LINEAR, PULL_SMALL),
            Number(EXPONENTIAL_LOSS, PULL_SMALL),
        ),
    ),
)

OTHERS: Mapping[str, Source] = {
    "adaptive": ADAPTIVE,
    "adaptive-long": LONG,
    "points": POINTS,
    "exponential": EXPONENTIAL,
}
"""By the experiment that tests it."""

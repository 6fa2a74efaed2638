"""The Lovász extension of the Jaccard loss of wrong pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import Definition, case
from ..definitions.arrays import BINARY_LABELS, BINARY_LOGITS, SOFT, masked
from ..definitions.region import ALL, OF_RATIOS, SOFT_ONES, family
from ..definitions.scenes import SCENES
from ..entries import HARD, Entry, Sample
from ..faults import other, without
from ..oracle.family import Cell, ClassScores, Result, total
from ..oracle.problem import NoNumberError, Problem
from ..oracle.tape import plain

SOURCE = "Berman et al., The Lovász-Softmax loss, CVPR 2018, eqs. 8, 9 and 11"


def lovasz(error: Callable[[Cell], Any]) -> Callable[[list[Cell]], tuple[Any, Any]]:
    """Σ m (Δ(M with i) − Δ(M without i)) over the pixels in the order of their errors m, M the pixels before, with
    Δ(M) = 1 − |foreground without M| / |foreground with M|. Equal errors: what foreground first and background first
    give on average, pixels of one kind sharing by their weight."""

    def score(cells: list[Cell]) -> tuple[Any, Any]:
        if any(cell.y not in (0, 1) for cell in cells):
            raise NoNumberError("a target that is neither 0 nor 1")
        errors = [(error(cell), cell.w, bool(cell.y)) for cell in cells]
        foreground = total(w for _, w, is_there in errors if is_there)
        losses = []
        for background_first in (False, True):
            ordered = sorted(errors, key=lambda x: (-rank(x[0]), x[2] == background_first))
            missed, extra, before, terms = mpf(0), mpf(0), mpf(0), []
            for (_, is_there), group in groupby(ordered, key=lambda x: (rank(x[0]), x[2])):
                alike = list(group)
                weight = total(w for _, w, _ in alike)
                missed, extra = (missed + weight, extra) if is_there else (missed, extra + weight)
                after = 1 - (foreground - missed) / (foreground + extra)
                terms += [m * (w / weight * (after - before)) for m, w, _ in alike]
                before = after
            losses.append(total(terms))
        loss = (losses[0] + losses[1]) / 2
        return loss, plain(loss)

    return score


def rank(error: Any) -> Any:
    """The error without the digits in which equal ones may differ."""
    return mpf(0) if plain(error) == 0 else mpf(f"{float(plain(error)):.14e}")


def distance(cell: Cell) -> Any:
    """|y − p|"""
    return 1 - cell.p if cell.y else cell.p


def hinge(cell: Cell) -> Any:
    """max(0, 1 − z σ); the prediction is the logit z."""
    margin = 1 - cell.p if cell.y else 1 + cell.p
    return margin if plain(margin) > 0 else mpf(0)


ROWS = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.1, 0.3, 0.6]])


def lovasz_hinge(problem: Problem, **options: Any) -> Result:
    """Of logits, whatever the activation is called."""
    return ClassScores(lovasz(hinge))(problem, **{**options, "activation": "identity"})


OF_PROBABILITIES = {
    name for name, scene in ALL.items() if scene.hyperparameters.get("activation") in ("softmax", "identity")
}


SOFT_TARGET = case(
    "soft-target", "A target between 0 and 1 makes the value NaN.", flags="soft nan", target=SOFT
)


def ties(activation: str) -> Definition:
    """Two pixels of the foreground and two of the background with one error."""
    return case(
        "ties",
        "Four errors of e: foreground first Δ = 1/2, 1, 1, 1, background first 1/3, 1/2, 3/4, 1: "
        "slopes 3/8 and 1/8.",
        flags="worked one-class tie",
        activation=activation,
        aggregate="image",
        logits=np.array([[[0.5, 0.5, 0.5, 0.5]]]) if activation == "identity" else np.zeros((1, 1, 4)),
        target=np.array([[1, 1, 0, 0]]),
        value_by_hand=0.5 if activation == "identity" else 1.0,
        gradient_by_hand=[-3 / 8, -3 / 8, 1 / 8, 1 / 8],
    )


SOFTMAX = Entry(
    loss="LovaszSoftmaxLoss",
    source=SOURCE,
    oracle=ClassScores(lovasz(distance), defaults={"aggregate": "batch", "absent": "skip"}),
    cases=[
        case(
            "worked-example",
            "Four pixels, classes .5, .6 and, absent, none: (.5 + .6)/2; the authors' code gives .55.",
            flags="worked identity absent-class",
            activation="identity",
            logits=ROWS.T[None],
            target=np.array([[0, 1, 0, 1]]),
            value_by_hand=0.55,
            gradient_by_hand=[-1 / 4, 0, -1 / 4, 0, 0, -1 / 4, 0, -1 / 4, 0, 0, 0, 0],
        ),
        case(
            "worked-example-counted",
            "The same, the absent class counts by its largest probability, .6: (.5 + .6 + .6)/3, as in kornia.",
            flags="worked identity absent-class",
            activation="identity",
            absent="count",
            aggregate="image",
            logits=ROWS.T[None],
            target=np.array([[0, 1, 0, 1]]),
            value_by_hand=1.7 / 3,
        ),
        ties("identity"),
        *family(skip=SOFT_ONES | OF_RATIOS),
        SOFT_TARGET,
        case("image", "Each image by itself.", aggregate="image"),
        case("image-counted", "Each image, absent classes too.", aggregate="image", absent="count"),
        case(
            "image-mask",
            "Each image, pixels that count as fractions of a pixel.",
            flags="mask",
            aggregate="image",
            **masked(),
        ),
        replace(
            ALL["absent-skipped-weights"],
            name="image-absent-skipped-weights",
            comment="Each image; the mask hides the only pixel of class 2 in image 0.",
            hyperparameters={**ALL["absent-skipped-weights"].hyperparameters, "aggregate": "image"},
        ),
        case(
            "one-class",
            "Lovász-sigmoid: the foreground alone.",
            flags="sigmoid one-class",
            activation="sigmoid",
            logits=BINARY_LOGITS,
            target=BINARY_LABELS,
        ),
    ],
    samples=(
        Sample(targets=HARD),
        Sample({"aggregate": "image", "absent": "count"}, targets=HARD),
    ),
    bounds=(0, 1),
    value_fault=other(aggregate="image"),
    gradient_fault=lambda g: 0.99 * g,
    exceptions={"shards": "the errors of the whole batch are in one order"},
)

HINGE = Entry(
    loss="LovaszHingeLoss",
    source=SOURCE,
    oracle=lovasz_hinge,
    cases=[
        case(
            "worked-example",
            "m = .5, .8, 2, 2.5, slopes 1/4, 1/12, 1/6, 1/2: 1.775, as in the authors' code, kornia and smp.",
            flags="worked one-class",
            logits=np.array([[[0.5, -0.2, 1.0, -1.5]]]),
            target=np.array([[1, 0, 0, 1]]),
            value_by_hand=1.775,
            gradient_by_hand=[-1 / 4, 1 / 12, 1 / 6, -1 / 2],
        ),
        ties("sigmoid"),
        *family(skip=SOFT_ONES | OF_RATIOS | OF_PROBABILITIES | {"impossible-class"}, activation="sigmoid"),
        replace(SOFT_TARGET, hyperparameters={"activation": "sigmoid"}),
        replace(SCENES["two-classes"], hyperparameters={"activation": "sigmoid"}),
        case(
            "mask-one-class",
            "Pixels that count as fractions of a pixel.",
            flags="one-class mask",
            **masked(BINARY_LOGITS),
            target=BINARY_LABELS,
        ),
        case(
            "margin",
            "Errors of 0 at and beyond the margin have no slope.",
            flags="one-class",
            logits=np.array([[[1.0, 3.0, -1.0, 0.5, -0.25]]]),
            target=np.array([[1, 1, 0, 0, 1]]),
        ),
    ],
    samples=(
        Sample(targets=HARD, activations=("sigmoid",)),
        Sample({"aggregate": "batch", "absent": "skip"}, targets=HARD, activations=("sigmoid",)),
    ),
    curved=False,
    value_fault=without("mask"),
    gradient_fault=lambda g: 0.99 * g,
)

ENTRIES = [SOFTMAX, HINGE]

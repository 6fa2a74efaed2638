"""The page of what the papers say and what came out, from the tables of results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from study import claims, exponential, figures, points
from study.claims import CONTRADICTED, HOLDS, NOT_MEASURED, NOT_SHOWN, in_source, order, verdict
from study.losses import ADAPTIVE
from study.other_sources import (
    DEVIATION,
    DICE,
    DIGITS,
    EDGE_PIXELS,
    IOU,
    MEASURES,
    ON_VOC,
    OTHERS,
    SMALL_DEVIATION,
    Number,
    Source,
)
from study.outcomes import LEARNT, ended_by_the_limit
from study.protocol import FILTERS, FULL, SEEDS
from study.results import Row, protocol_of
from study.source import CLAIMS, POWER, REFERENCE
from study.source import Claim as PowerClaim
from study.statistics import LEVEL, Comparison, summarize
from study.text import difference_text, p_text, summary_text, table

INTRODUCTION = f"""# What the papers say, and what came out

This library has the losses of four sources. Each says that its loss is better, somewhere, by some measure. Here are
these claims one by one, each tested on small networks and scenes of handwritten digits, and each with its verdict:

- **Holds**: the difference is on the claim's side, with p < {LEVEL} in the paired t-test over {len(SEEDS)} seeds.
- **Contradicted**: it is on the other side, with p < {LEVEL}.
- **Not shown**: this test cannot tell it from chance. That is not a refutation: so few seeds find large effects only.
- **Waits**: seeds are missing, and no verdict is read from a part of them.

Differences have their {100 * (1 - LEVEL):.0f} % interval. A seed means initial weights, the order of scenes and their
shifts; all runs have the same scenes, so nothing is said of other data. IoU and Dice are those of all pixels of the
test set, averaged over ten digits and the background. `python -m study.papers` carries out the runs
that are missing and writes this page from the rows in `study/`; no number on it is typed by hand."""

LEARNT_CLAIM = PowerClaim("kernel 3", False, LEARNT, POWER, (3,), FILTERS)
WORDS = {HOLDS: "Holds", CONTRADICTED: "Contradicted", NOT_SHOWN: "Not shown", NOT_MEASURED: "Waits"}


def write(power_rows: Sequence[Row], rows: Mapping[str, Sequence[Any]], maps: Path, docs: Path) -> None:
    """`papers.md` and its pictures; `rows` by experiment."""
    parts = [INTRODUCTION, chance(), "## Power losses", f"{REFERENCE}."]
    parts += [
        "\n".join(powers(power_rows)),
        "[The study](study.md) has the protocol, all networks and all numbers.",
    ]
    extras: dict[str, Callable[[Any, Path], list[str]]] = {
        "adaptive": adaptive,
        "adaptive-long": lambda rows, docs: [orders(rows), settings(rows)],
        "points": key_points,
        "exponential": fine_tuning,
    }
    for name, source in OTHERS.items():
        some = rows[name]
        parts += [f"## {source.title}", f"{source.reference}.", source.about]
        parts += ["\n".join(sentences(source, some)), numbers(source, some), *extras[name](some, docs)]
    found = exponential.read_maps(maps)
    if found:
        figures.draw_maps(found, docs / "papers-maps.svg")
        parts += ["![Deviation and pulls](papers-maps.svg)", MAPS]
    parts += ["## What is not tested", NOT_TESTED, "## What is there", there(rows)]
    text = "\n\n".join(part for part in parts if part) + "\n"
    (docs / "papers.md").write_text(text, encoding="utf-8")


def chance() -> str:
    count = len(CLAIMS) + 1 + sum(len(source.claims) for source in OTHERS.values())
    return (
        f"There are {count} verdicts. If nothing were better than anything, {LEVEL * count:.1f} of them would be"
        " *holds* or *contradicted* by chance."
    )


# -- verdicts ---------------------------------------------------------------------------------------------------------


def verdict_text(found: Comparison | None, about: str, numbers: str, seeds: int) -> str:
    """One sentence."""
    word = verdict(found)
    if word == NOT_MEASURED:
        return f"- **Waits** for its seeds, {seeds} of {len(SEEDS)} are there: {about}."
    p = p_text(found)
    return f"- **{WORDS[word]}**: {about}; {numbers}, p {p if p.startswith('<') else f'= {p}'}."


def powers(rows: Sequence[Row]) -> list[str]:
    lines = []
    for claim in (*CLAIMS, LEARNT_CLAIM):
        found = claims.judge(rows, claim)
        about = f"{claim.ahead} is better than {claim.behind}"
        if claim is LEARNT_CLAIM:
            about = f"{claim.text}, p learnt as the source proposes: {about}"
        else:
            about = f"{claim.text}: {about} (by {in_source(claim):.4f} in its table)"
        seeds = [len(claims.mean_by_seed(rows, loss, claim)) for loss in (claim.ahead, claim.behind)]
        lines.append(verdict_text(found, about, f"here {difference_text(found)} in mean IoU", min(seeds)))
    return lines


def sentences(source: Source, rows: Sequence[Any]) -> list[str]:
    lines = []
    for claim in source.claims:
        found = claim.judge(rows)
        sides = [claim.higher, claim.lower]
        values = [side.by_seed(rows) for side in sides]
        seeds = len(values[0].keys() & values[1].keys())
        about = f"{claim.text} (asked here, not claimed)" if claim.ours else claim.text
        lines.append(verdict_text(found, about, _numbers(sides, values, found), seeds))
    return lines


def _numbers(sides: list[Number], values: list[dict[int, float]], found: Comparison | None) -> str:
    if not all(values):
        return ""
    digits = [DIGITS.get(side.measure, 3) for side in sides]
    means = [f"{np.mean([*some.values()]):.{number}f}" for some, number in zip(values, digits, strict=True)]
    if sides[0].measure == sides[1].measure:
        said = ", ".join(f"{mean} with *{side.loss}*" for mean, side in zip(means, sides, strict=True))
        said = f"{sides[0].measure} {said}"
    else:
        said = ", ".join(f"{side.measure} {mean}" for mean, side in zip(means, sides, strict=True))
    return f"{said}, a difference of {difference_text(found, digits[0])}"


# -- numbers ----------------------------------------------------------------------------------------------------------


def numbers(source: Source, rows: Sequence[Any]) -> str:
    """The mean and the standard deviation of each loss."""
    lines = []
    for loss in dict.fromkeys(row.loss for row in rows):
        of_loss = [Number(loss, measure).by_seed(rows) for measure in source.measures]
        found = [summarize([*some.values()]) for some in of_loss]
        digits = [DIGITS.get(measure, 3) for measure in source.measures]
        lines.append((loss, *(summary_text(*pair) for pair in zip(found, digits, strict=True))))
    if not lines:
        return "No run yet."
    return table(("", *source.measures), lines) + "\n\nMean over seeds ± standard deviation."


def settings(rows: Sequence[Row]) -> str:
    """What is otherwise than in the study of power losses, and how many trainings had no end."""
    if not rows:
        return ""
    protocol = protocol_of(rows, FULL)
    others = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in vars(protocol).items()
        if value != getattr(FULL, name)
    ]
    ended = sum(map(ended_by_the_limit, rows))
    return (
        f"The protocol is that of [the study](study.md), but for: {', '.join(others)}. The limit of"
        f" {protocol.epochs} epochs ended {ended} of {len(rows)} trainings while they still improved."
    )


def adaptive(rows: Sequence[Row], docs: Path) -> list[str]:
    if not rows:
        return []
    values = {loss: [*Number(loss, IOU).by_seed(rows).values()] for loss in ADAPTIVE}
    figures.draw_runs(values, f"{IOU}, 11 classes", docs / "papers-iou.svg")
    picture = ["![Each run's mean IoU](papers-iou.svg)", "Dots are runs, strokes their means."]
    return [orders(rows), *picture, settings(rows)]


def orders(rows: Sequence[Row]) -> str:
    """By the means of the losses whose number the source gives, once all seeds are there."""
    found = {loss: [*Number(loss, IOU).by_seed(rows).values()] for loss in ON_VOC}
    if any(len(values) < len(SEEDS) for values in found.values()):
        return ""
    here = order({loss: float(np.mean(values)) for loss, values in found.items()})
    return f"Order in the source: {' > '.join(order(ON_VOC))}. Order here: {' > '.join(here)}."


def key_points(rows: Sequence[points.Row], docs: Path) -> list[str]:
    if not rows:
        return []
    protocol = protocol_of(rows, points.Protocol())
    errors = {
        loss: np.array([[float(x) for x in row.errors.split()] for row in rows if row.loss == loss])
        for loss in dict.fromkeys(row.loss for row in rows)
    }
    figures.draw_errors(errors, protocol.wanted_error, docs / "papers-points.svg")
    never = {loss: sum(row.epochs_to_error is None for row in rows if row.loss == loss) for loss in errors}
    never_text = ", ".join(f"*{loss}* in {count}" for loss, count in never.items() if count)
    return [
        "![Error by epoch](papers-points.svg)",
        "The mean over seeds, and from the least to the greatest of them. The line is the wanted error,"
        f" {protocol.wanted_error:g} pixels; a training has {protocol.epochs} epochs of {protocol.train} scenes"
        f" with rate {protocol.rate:g}, and what does not come so near counts as {protocol.epochs + 1}"
        + (f": {never_text} of the runs." if never_text else "; none did."),
    ]


def fine_tuning(rows: Sequence[exponential.Row], docs: Path) -> list[str]:
    if not rows:
        return []
    figures.draw_runs(gains(rows), f"{DICE}, gained by fine-tuning", docs / "papers-gains.svg")
    shares = {
        measure: np.mean([MEASURES[measure](row) for row in rows])
        for measure in (EDGE_PIXELS, DEVIATION, SMALL_DEVIATION)
    }
    return [
        "![What fine-tuning gains](papers-gains.svg)",
        "Deviation is 1 − p of a pixel's own class, pull the derivative with respect to its logits, both before"
        f" fine-tuning and on the test scenes: {100 * shares[EDGE_PIXELS]:.0f} % of the pixels have a neighbour with"
        f" another label, and {100 * shares[DEVIATION]:.0f} % of the deviation lies there;"
        f" {100 * shares[SMALL_DEVIATION]:.0f} % of it is that of pixels that deviate by less than"
        f" {exponential.MINUTE:g}. The source says these add up to almost as much as the others.",
        settings(rows),
    ]


def gains(rows: Sequence[exponential.Row]) -> dict[str, list[float]]:
    """Of each run that fine-tunes, beyond the one of the same seed that it starts from."""
    start = Number("cross-entropy", DICE).by_seed(rows)
    return {
        loss: [dice - start[seed] for seed, dice in Number(loss, DICE).by_seed(rows).items() if seed in start]
        for loss in dict.fromkeys(row.loss for row in rows)
        if loss != "cross-entropy"
    }


MAPS = """Scenes of the test set, where the trained network deviates, and where losses pull at it, each picture by
itself as dark as it is great."""

NOT_TESTED = """The locally adaptive loss on its source's data: `python -m study.voc --root DIR --model
MODULE:FUNCTION` trains the comparison on PASCAL VOC 2012 with any model. It has been run on a small folder of that
layout only, not on VOC. No claim here was tested on photographs, on large networks, or with other optimisers than
Adam."""


def there(rows: Mapping[str, Sequence[Any]]) -> str:
    lines = []
    for name, some in rows.items():
        if some:
            dates = dict.fromkeys((min(row.date for row in some), max(row.date for row in some)))
            minutes = f"{sum(row.seconds for row in some) / 60:.0f} minutes of one thread"
            lines.append(
                (f"`study/{name}.csv`", str(len(some)), minutes, " to ".join(dates), some[0].versions)
            )
    return table(("", "runs", "time", "dates", "versions"), lines) if lines else "No run yet."

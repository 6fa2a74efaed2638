"""Tables of the runs on power losses, the claims that they bear out, and where the learnt power ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from study import figures
from study.claims import (
    CONTRADICTED,
    DIGITS,
    HOLDS,
    MAIN,
    METRICS,
    NOT_MEASURED,
    VERDICTS,
    by_seed,
    in_source,
    judge,
    order,
    verdict,
)
from study.losses import FURTHER, LOSSES, SOURCE
from study.protocol import FILTERS, FULL, KERNELS, SEEDS, Protocol
from study.results import Row, protocol_of
from study.source import CLAIMS, POWER, TABLE, Cell
from study.statistics import (
    LEVEL,
    WANTED_POWER,
    Summary,
    compare,
    detectable,
    least_rank_p,
    power,
    summarize,
)
from study.text import difference_text, p_text, summary_text, table

LEARNT = "power Jaccard, p learned"

# -- tables of IoU ----------------------------------------------------------------------------------------------------

LOST = 0.01

TABLES = f"""Mean over seeds ± standard deviation (of a sample: its squares are divided by the count less one). The
source does not say whether its mean IoU counts the background, so ours is given over all 11 classes and over the 10
digits; IoU is that of all pixels of the test set. The scenes are not the source's: the order of the losses
can be compared with its own, neither the values nor the size of a difference.

*Epochs* is their mean; how many runs were ended by their limit while they still improved; and in how many
of them a digit was not learnt, its IoU below {LOST}."""


def iou_table(rows: Sequence[Row], losses: Iterable[str], kernel: int) -> str:
    lines: list[tuple[str, ...]] = []
    for loss in losses:
        cells = [Cell(loss, filters, kernel) for filters in FILTERS]
        of_loss: list[tuple[str, list[Summary | None]]] = []
        if loss in SOURCE:
            of_loss.append(("source", [TABLE[cell] for cell in cells]))
        for metric in METRICS:
            of_loss.append((metric, [summarize([*by_seed(rows, cell, metric).values()]) for cell in cells]))
        for i, (about, found) in enumerate(of_loss):
            lines.append(("" if i else loss, about, *map(summary_text, found)))
        lines.append(("", "epochs", *(how_it_ended(rows, cell) for cell in cells)))
    return table((f"kernel {kernel}", "", *(f"{filters} filters" for filters in FILTERS)), lines)


def how_it_ended(rows: Iterable[Row], cell: Cell) -> str:
    there = [row for row in rows if (row.loss, row.filters, row.kernel) == cell]
    if not there:
        return ""
    texts = [f"{np.mean([row.epochs for row in there]):.0f}"]
    if ended := sum(map(ended_by_the_limit, there)):
        texts.append(f"limit {ended}")
    if lost := sum(min(row.iou[1:]) < LOST for row in there):
        texts.append(f"digit lost {lost}")
    return "; ".join(texts)


def ended_by_the_limit(row: Row) -> bool:
    """And not by a validation loss that no longer falls."""
    protocol = protocol_of([row], FULL)
    return row.epochs == protocol.epochs and row.epochs - row.best_epoch < protocol.patience


def draw(rows: Sequence[Row], losses: Iterable[str], path: Path, about: str) -> str:
    """A picture of the losses that there are, if there are any."""
    there = [loss for loss in losses if any(row.loss == loss for row in rows)]
    if not there:
        return ""
    cells = [Cell(loss, filters, kernel) for loss in there for filters in FILTERS for kernel in KERNELS]
    figures.draw_iou({cell: [*by_seed(rows, cell).values()] for cell in cells}, there, path)
    return f"![Mean IoU by filters and kernel]({path.name})\n\n{about}"


def comparison(rows: Sequence[Row], docs: Path) -> list[str]:
    about = (
        "Dots are runs, lines join their means, bars are standard deviations, crosses are the source's means."
    )
    tables = [iou_table(rows, SOURCE, kernel) for kernel in KERNELS]
    return [TABLES, *tables, draw(rows, SOURCE, docs / "study-iou.svg", about)]


def beyond(rows: Sequence[Row], docs: Path) -> list[str]:
    text = "The same networks, scenes and seeds with losses that the source does not train. No claim is tested here."
    trained = {row.kernel for row in rows if row.loss in FURTHER}
    if trained != set(KERNELS):
        text += (
            f" There are no such runs yet with kernel {', '.join(map(str, sorted(set(KERNELS) - trained)))}."
        )
    tables = [iou_table(rows, FURTHER, kernel) for kernel in KERNELS if kernel in trained]
    return [text, *tables, draw(rows, LOSSES, docs / "study-losses-iou.svg", "All losses, drawn as above.")]


# -- claims -----------------------------------------------------------------------------------------------------------

WHAT_THE_SOURCE_SAYS = """Where the claims come from:

- *Kernel 3*, and there *few filters*: on scenes of digits the source finds power Jaccard ahead with the smaller kernel,
  and of small models in general that power losses beat the classical Jaccard.
- *All networks*: its general conclusion is that power losses improve on cross-entropy and Jaccard in what it tested.
- *Kernel 5*: no conclusion of the source, but what its table says there, where power Jaccard is last in three networks
  of four. This and the claim for all networks can both hold only if kernel 3 outweighs it.

The source concludes for little data, too. No run here varies the amount of data, so that is not tested."""


def how_it_is_tested() -> str:
    seeds, interval, wanted = len(SEEDS), f"{100 * (1 - LEVEL):.0f} %", f"{100 * WANTED_POWER:.0f} %"
    return f"""Runs of one seed are a pair, so losses are compared by the paired t-test over seeds: for each seed the
difference of the losses' mean IoU, averaged over the networks that the claim speaks of. *Holds* is p < {LEVEL} with the
difference on the claim's side, *contradicted* on the other; no verdict is given before all {seeds} seeds are there.
Differences are given with their {interval} confidence interval. All runs have the same scenes: interval and p speak of
other weights and orders on these scenes, not of other scenes.

{seeds} seeds see large effects only. A true difference of one standard deviation of the differences is found with a
probability of {100 * power(1.0, seeds):.0f} %; a probability of {wanted} needs {detectable(seeds):.2f} standard
deviations, with ten seeds {detectable(10):.2f}. *Detectable* is the latter as a difference in IoU, at the
spread of these few runs. So *not shown* is not *refuted*. The test takes the differences as normal, which {seeds}
values cannot show; a test of signs or ranks, which does not, cannot go below p = {least_rank_p(seeds):.4f} with
{seeds} pairs. Where there is no difference, {LEVEL * len(CLAIMS):.1f} of the {len(CLAIMS)} verdicts come out by chance,
and of the {NETWORK_TESTS} tests network by network {LEVEL * NETWORK_TESTS:.1f}, so those bear no verdict."""


NETWORK_TESTS = len(FILTERS) * len(KERNELS) * (len(SOURCE) - 1)


def stopped_early(rows: Sequence[Row]) -> str:
    """Few filters and kernel 3 is where the first claim looks."""
    few = [row for row in rows if row.loss in SOURCE and row.kernel == 3 and row.filters in CLAIMS[0].filters]
    ended = sum(map(ended_by_the_limit, few))
    if not ended:
        return ""
    return (
        f"With few filters and kernel 3 the limit of epochs ended {ended} of {len(few)} runs while they still"
        f" improved. So the first claims compare how far each loss comes in {protocol_of(few, FULL).epochs} epochs,"
        " as in the source, and not where it would end."
    )


def verdicts(rows: Sequence[Row]) -> str:
    found = [(claim, judge(rows, claim)) for claim in CLAIMS]
    totals = []
    for about, concluded in (("The source's {} conclusions", True), ("The {} readings of its table", False)):
        words = [verdict(result) for claim, result in found if claim.concluded == concluded]
        total = ", ".join(f"{words.count(word)} × {word}" for word in VERDICTS if word in words)
        totals.append(f"{about.format(len(words))}: {total}.")
    texts = []
    for claim, result in found:
        if result is None or verdict(result) in (HOLDS, NOT_MEASURED):
            continue
        if verdict(result) == CONTRADICTED:
            texts.append(f"- {claim}? No: behind by {-result.difference:.4f}.")
        else:
            side = "ahead" if result.difference > 0 else "behind"
            texts.append(
                f"- {claim}? Not shown: {side} by {abs(result.difference):.4f}, where {result.detectable:.4f} would"
                f" have been found with a probability of {100 * WANTED_POWER:.0f} %."
            )
    return "\n".join([" ".join(totals), "", *texts])


def claims_table(rows: Sequence[Row]) -> str:
    lines: list[tuple[str, ...]] = []
    for claim in CLAIMS:
        result, digits = (judge(rows, claim, metric) for metric in (MAIN, DIGITS))
        word = verdict(result)
        lines.append((
            str(claim), f"{in_source(claim):+.4f}", difference_text(result), p_text(result),
            "" if result is None or word == NOT_MEASURED else f"{result.detectable:.4f}",
            f"**{word}**" if word == CONTRADICTED else word,
            difference_text(digits), p_text(digits),
        ))  # fmt: skip
    header = ("claim", "source", f"here, {MAIN}", "p", "detectable", "verdict", f"here, {DIGITS}", "p")
    return table(header, lines)


def orders(rows: Sequence[Row]) -> str:
    """Network by network."""
    others = [loss for loss in SOURCE if loss != POWER]
    lines: list[tuple[str, ...]] = []
    compared = []
    for kernel in KERNELS:
        for filters in FILTERS:
            theirs = order({loss: TABLE[Cell(loss, filters, kernel)].mean for loss in SOURCE})
            found = {loss: by_seed(rows, Cell(loss, filters, kernel)) for loss in SOURCE}
            seeds = set.intersection(*(set(values) for values in found.values()))
            found = {loss: {seed: values[seed] for seed in seeds} for loss, values in found.items()}
            ours = []
            if seeds:
                ours = order({loss: float(np.mean([*values.values()])) for loss, values in found.items()})
            if len(seeds) == len(SEEDS):
                compared.append((theirs, ours))
            tests = [compare(found[POWER], found[other]) for other in others]
            lines.append((
                str(kernel), str(filters), " > ".join(theirs), " > ".join(ours) or "missing",
                *(text for test in tests for text in (difference_text(test), p_text(test))),
            ))  # fmt: skip
    header = ["kernel", "filters", "order in the source", "order here"]
    header += [text for other in others for text in (f"{POWER} − {other}", "p")]
    summary = f"Network by network; none has all {len(SEEDS)} seeds of all three losses yet."
    if compared:
        summary = (
            f"Network by network, {len(compared)} of {len(TABLE) // len(SOURCE)} with all seeds of all three losses:"
            f" the order is the source's in {sum(theirs == ours for theirs, ours in compared)}, the first is the"
            f" source's in {sum(theirs[0] == ours[0] for theirs, ours in compared)}."
        )
    return f"{summary}\n\n{table(header, lines)}"


# -- the learnt power -------------------------------------------------------------------------------------------------

DRIFT = """The source proposes to learn p. By gradient descent on the loss itself p can only rise. For fixed
predictions, with I = Σyŷ and D = Σŷ^p + Σy^p − I,

    J_p = 1 − (I + ε)/(D + ε)
    ∂J_p/∂p = (I + ε)/(D + ε)² · (Σ ŷ^p ln ŷ + Σ y^p ln y) ≤ 0,

since ln ŷ ≤ 0, and y^p ln y = 0 for y = 0 and y = 1. It is 0 only where every prediction is 0 or 1. Whatever the data,
a larger p makes the loss smaller: p goes to the end of its range unless training stops before, and where it is then
says how long training was, not which p segments best. Early stopping sees a validation loss that falls with p, too.
*By the clock* is where p would be after as many steps of the rate's full length, all upwards; where a
plateau reduced the rate, p is below that."""


def learnt_powers(rows: Sequence[Row], protocol: Protocol) -> str:
    lines: list[tuple[str, ...]] = []
    for kernel in KERNELS:
        cells = [
            [row for row in rows if (row.loss, row.filters, row.kernel) == (LEARNT, filters, kernel)]
            for filters in FILTERS
        ]
        if not any(cells):
            continue
        ends = [summarize([row.p for row in some if row.p is not None]) for some in cells]
        clock = [summarize([by_the_clock(row.best_epoch, protocol) for row in some]) for some in cells]
        epochs = [summarize([float(row.best_epoch) for row in some]) for some in cells]
        lines += [
            (f"kernel {kernel}", "p", *map(summary_text, ends)),
            ("", "by the clock", *map(summary_text, clock)),
            ("", "epochs", *("" if found is None else f"{found.mean:.0f}" for found in epochs)),
        ]
    if not lines:
        return "No such run yet."
    return table(("", "", *(f"{filters} filters" for filters in FILTERS)), lines)


def by_the_clock(epochs: int, protocol: Protocol) -> float:
    """1 + sigmoid of what the raw parameter is after that many epochs of steps as long as the rate."""
    start = LOSSES[LEARNT]().bound().p.item() - 1  # type: ignore[attr-defined]
    steps = epochs * math.ceil(protocol.train / protocol.batch_size)
    return 1 + 1 / (1 + math.exp(-(math.log(start / (1 - start)) + protocol.rate * steps)))

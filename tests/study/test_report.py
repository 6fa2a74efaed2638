"""The page: from made-up rows with numbers known by hand, from partial tables, and the one that is in docs/."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from study import __main__ as command_line
from study import curves, figures, outcomes, report, results, text
from study.claims import in_source, judge, order
from study.curves import DTYPES, Point
from study.losses import LOSSES, SOURCE
from study.protocol import FILTERS, FULL, KERNELS, SEEDS, Protocol, Run
from study.results import IOU, Row
from study.source import CLAIMS, POWER, TABLE, Cell
from tests.study.test_results import row

WITHOUT_RUNS = {"study.md", "study-losses.svg", "study-powers.svg", "study-scenes.svg"}
SHORT = dataclasses.replace(FULL, size=16, instances=2, train=8, test=20)


def made(loss: str, filters: int, kernel: int, seed: int, digits: float, **given: object) -> Row:
    """The background's IoU is 1."""
    iou = dict.fromkeys(IOU, digits) | {"iou_background": 1.0}
    about = {"best_epoch": 7, "protocol": str(SHORT)} | iou | given
    return dataclasses.replace(row(Run(loss, filters, kernel, seed)), **about)  # type: ignore[arg-type]


def page(folder: Path, rows: Iterable[Row]) -> str:
    table = folder / "results.csv"
    with results.appending(table, SHORT, Row) as (_, append):
        for one in rows:
            append(one)
    report.write(table, folder / "no curves.csv", docs=folder)
    return (folder / "study.md").read_text(encoding="utf-8")


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_the_source_table() -> None:
    assert set(TABLE) == {Cell(loss, f, k) for loss in SOURCE for f in FILTERS for k in KERNELS}
    orders = {(f, k): order({loss: TABLE[Cell(loss, f, k)].mean for loss in SOURCE})
             for f in FILTERS for k in KERNELS}  # fmt: skip
    first = [network for network, losses in orders.items() if losses[0] == POWER]
    last = [network for network, losses in orders.items() if losses[-1] == POWER]
    assert first == [(2, 3), (4, 3), (8, 3)]
    assert last == [(2, 5), (4, 5), (16, 5)]


def test_means_by_hand(tmp_path: Path) -> None:
    """(1 + 10 · 0.45)/11 = 0.5 and (1 + 10 · 0.67)/11 = 0.7."""
    rows = [made("Jaccard", 2, 3, 0, 0.45), made("Jaccard", 2, 3, 1, 0.67), made("focal", 16, 5, 2, 0.45)]
    text = page(tmp_path, rows)
    assert (
        "| Jaccard | source | 0.5527 ± 0.1406 | 0.8031 ± 0.0480 | 0.8765 ± 0.0105 | 0.8839 ± 0.0093 |" in text
    )
    assert "|  | 11 classes | 0.6000 ± 0.1414 (2 of 5) | missing | missing | missing |" in text
    assert "|  | 10 digits | 0.5600 ± 0.1556 (2 of 5) | missing | missing | missing |" in text
    assert "| focal | 11 classes | missing | missing | missing | 0.5000 (1 of 5) |" in text
    assert "3 of 440 runs. Missing are cross-entropy: 40 of 40; Jaccard: 38 of 40;" in text
    assert "focal: 39 of 40" in text


def test_five_seeds_are_not_counted(tmp_path: Path) -> None:
    text = page(tmp_path, [made("Dice", 4, 5, seed, 0.45 + 0.11 * seed) for seed in SEEDS])
    assert "| Dice | 11 classes | missing | 0.7000 ± 0.1581 | missing | missing |" in text


def claim_rows(power_over: dict[str, float], hundredths: Sequence[int] = (1, 2, 3, 4, 5)) -> list[Row]:
    """Kernel 3. By seed, power Jaccard is ahead by so many hundredths times a factor, on average over networks."""
    rows = []
    for seed in SEEDS:
        for filters in (2, 4):
            rows.append(made(POWER, filters, 3, seed, 0.5))
            for loss, factor in power_over.items():
                ahead = factor * hundredths[seed] / 100 * (2 if filters == 2 else 0)
                rows.append(made(loss, filters, 3, seed, 0.5 - 1.1 * ahead))
    return rows


def test_claims_by_hand(tmp_path: Path) -> None:
    text = page(tmp_path, claim_rows({"Jaccard": 1.0, "cross-entropy": -1.0}))
    holds, not_measured = (
        lines_of(text, f"| kernel 3, few filters (2 and 4): {POWER} ahead of Jaccard |"),
        lines_of(text, f"| kernel 3: {POWER} ahead of Jaccard |"),
    )
    # The t-test of 1 to 5 gives p = 0.0132, the interval is 2.7764 · √(2.5/5) hundredths to both sides.
    (cells,) = (line.split(" | ") for line in holds)
    assert float(cells[1]) == pytest.approx((0.7407 - 0.5527 + 0.8308 - 0.8031) / 2, abs=1e-4)
    assert cells[2:4] == ["+0.0300 ± 0.0196", "0.013"]
    assert cells[5] == "holds"
    assert cells[6:] == ["+0.0330 ± 0.0216", "0.013 |"]
    (cells,) = (line.split(" | ") for line in not_measured)
    assert cells[2] == "missing"
    assert cells[5] == "not measured"
    (contradicted,) = lines_of(text, f"| kernel 3, few filters (2 and 4): {POWER} ahead of cross-entropy |")
    assert "| -0.0300 ± 0.0196 | 0.013 |" in contradicted
    assert "| **contradicted** |" in contradicted
    assert "The source's 6 conclusions: 1 × holds, 1 × contradicted, 4 × not measured." in text
    assert "The 2 readings of its table: 2 × not measured." in text
    assert f"2 and 4): {POWER} ahead of cross-entropy? No: behind by 0.0300." in text


def test_what_is_not_shown_is_said(tmp_path: Path) -> None:
    text = page(tmp_path, claim_rows({"Jaccard": 1.0}, (-1, 2, 1, -2, 3)))
    (line,) = lines_of(text, f"| kernel 3, few filters (2 and 4): {POWER} ahead of Jaccard |")
    # The mean is 0.6, its standard error √(17.2/4/5) = 0.927: t = 0.647 with four degrees of freedom.
    assert "| +0.0060 ± 0.0257 | 0.553 |" in line
    assert "| not shown |" in line
    assert f"- kernel 3, few filters (2 and 4): {POWER} ahead of Jaccard? Not shown: ahead by 0.0060" in text


def test_no_verdict_before_all_seeds_are_there(tmp_path: Path) -> None:
    rows = [r for r in claim_rows({"Jaccard": 1.0}) if r.seed < 4 or r.loss != "Jaccard"]
    text = page(tmp_path, rows)
    (line,) = lines_of(text, f"| kernel 3, few filters (2 and 4): {POWER} ahead of Jaccard |")
    # With all five it holds; of 1 to 4, t = 3.87 with three degrees of freedom would be p = 0.030.
    assert "| +0.0250 ± 0.0205 (4 of 5) |  |  | not measured |" in line
    assert (
        "The source's 6 conclusions: 6 × not measured. The 2 readings of its table: 2 × not measured." in text
    )


def test_a_seed_without_all_networks_is_left_out() -> None:
    rows = [r for r in claim_rows({"Jaccard": 1.0}) if (r.loss, r.filters, r.seed) != ("Jaccard", 4, 4)]
    found = judge(rows, CLAIMS[1])
    assert (CLAIMS[1].behind, CLAIMS[1].filters) == ("Jaccard", (2, 4))
    assert found is not None
    assert found.seeds == 4
    assert found.difference == pytest.approx(0.025)


def test_claims_against_the_source_table() -> None:
    """All follow from its table, means against means."""
    by_text = {str(claim): in_source(claim) for claim in CLAIMS}
    assert len(by_text) == 8
    assert by_text[f"kernel 3: {POWER} ahead of Jaccard"] == pytest.approx(
        (0.7407 + 0.8308 + 0.8870 + 0.8658 - 0.5527 - 0.8031 - 0.8765 - 0.8839) / 4
    )
    assert by_text[f"kernel 5: Jaccard ahead of {POWER}"] > 0
    assert [claim.concluded for claim in CLAIMS] == [True] * 6 + [False] * 2
    assert all(difference > 0 for difference in by_text.values())


def test_orders(tmp_path: Path) -> None:
    rows = [made("cross-entropy", 2, 3, 0, 0.7), made("Jaccard", 2, 3, 0, 0.6), made(POWER, 2, 3, 0, 0.8)]
    rows += [made("cross-entropy", 2, 5, 0, 0.5), made("Jaccard", 2, 5, 0, 0.6)]
    rows += [made("cross-entropy", 4, 5, 0, 0.5), made("Jaccard", 4, 5, 0, 0.6), made(POWER, 4, 5, 0, 0.7)]
    rows += [made("Jaccard", 2, 3, 1, 0.9)]  # of a seed that the others do not have
    text = page(tmp_path, rows)
    best = f"{POWER} > cross-entropy > Jaccard"
    assert f"| 3 | 2 | {best} | {best} | missing |" in text
    assert f"| 5 | 2 | cross-entropy > Jaccard > {POWER} | missing | missing |" in text
    assert "none has all 5 seeds of all three losses yet" in text


def test_orders_of_all_seeds(tmp_path: Path) -> None:
    """Of two networks the source has another order in one, with the same loss at the end."""
    ious = {(2, 3): (0.7, 0.6, 0.8), (4, 5): (0.5, 0.6, 0.7)}
    rows = [
        made(loss, filters, kernel, seed, iou)
        for (filters, kernel), of_losses in ious.items()
        for loss, iou in zip(SOURCE, of_losses, strict=True)
        for seed in SEEDS
    ]
    assert (
        "2 of 8 with all seeds of all three losses: the order is the source's in 1, the first is the source's in 1."
        in page(tmp_path, rows)
    )


def test_how_trainings_ended(tmp_path: Path) -> None:
    """At the limit of 100 epochs, one of them after ten flat ones; a digit that is not learnt in another."""
    rows = [
        made("Jaccard", 2, 3, 0, 0.5, epochs=100, best_epoch=95),
        made("Jaccard", 2, 3, 1, 0.5, epochs=100, best_epoch=90),
        made("Jaccard", 2, 3, 2, 0.5, epochs=40, best_epoch=30, iou_7=0.009),
        made("Jaccard", 4, 3, 0, 0.5, epochs=50, best_epoch=40, iou_7=0.02),
    ]
    text = page(tmp_path, rows)
    assert "|  | epochs | 80; limit 1; digit lost 1 | 50 |  |  |" in text
    assert "the limit of epochs ended 1 of 4 runs" in text


def test_settings_of_the_losses() -> None:
    """What distinguishes the losses that are trained, by hand."""
    region = "aggregate=batch, absent=count, include_background=True, average=pooled, smooth=1e-05"
    common = f"{region}, per_class=True"
    overlap = f"{common}, overlap=product, log=False"
    lines = {line.split(" | ")[0].strip("| "): line for line in report.settings().splitlines()}
    for loss, expected in {
        "cross-entropy": "`CrossEntropyLoss` | `reduction=mean`",
        "Jaccard": f"`JaccardLoss` | `reduction=mean, {overlap}`",
        "power Jaccard, p = 2": f"`PowerJaccardLoss` | `reduction=mean, {common}, p=2.0`",
        "power Jaccard, p = 1.5": f"`PowerJaccardLoss` | `reduction=mean, {common}, p=1.5`",
        "power Jaccard, p learned": f"`PowerJaccardLoss` | `reduction=mean, {common}, p=1.5`",
        "Dice": f"`DiceLoss` | `reduction=mean, {overlap}`",
        "power Dice, p = 2": f"`PowerDiceLoss` | `reduction=mean, {common}, p=2.0`",
        "focal": "`FocalLoss` | `reduction=mean, gamma=2.0, alpha=None, normalized=False, mixes=costs`",
        "locally adaptive": "`LocallyAdaptiveLoss` | `reduction=Minkowski(k=3.0), kernel_size=3, stride=1,"
        " standardize=True`",
        "pointwise exponential": f"`PointwiseExponentialLoss` | `reduction=mean, {region}, alpha=20.0,"
        " exponent=3.0, denominator=sum`",
        "cross-entropy, continued": "`CrossEntropyLoss` | `reduction=mean`",
    }.items():
        assert lines[loss] == f"| {loss} | {expected} |"
    assert list(LOSSES["power Jaccard, p learned"]().parameters())
    assert not any([*LOSSES[loss]().parameters()] for loss in LOSSES if loss != "power Jaccard, p learned")


def test_learnt_powers(tmp_path: Path) -> None:
    """One step an epoch: after 7 steps of 0.001 from p = 1.5 the clock says 1 + sigmoid(0.007)."""
    rows = [made(outcomes.LEARNT, 8, 3, seed, 0.5, p=p) for seed, p in ((0, 1.6), (1, 1.8))]
    text = page(tmp_path, rows)
    assert "| kernel 3 | p | missing | missing | 1.7000 ± 0.1414 (2 of 5) | missing |" in text
    assert "|  | by the clock | missing | missing | 1.5017 ± 0.0000 (2 of 5) | missing |" in text
    assert "|  | epochs |  |  | 7 |  |" in text
    assert outcomes.by_the_clock(1000, SHORT) == pytest.approx(1.731059)


def test_runs_that_never_had_a_finite_loss_are_named(tmp_path: Path) -> None:
    text = page(tmp_path, [made("Jaccard", 2, 3, 0, 0.5, best_epoch=0, validation_loss=float("nan"))])
    assert "tested as they began: Jaccard, 2 filters, kernel 3, seed 0." in text


def test_without_runs(tmp_path: Path) -> None:
    report.write(tmp_path / "no results.csv", tmp_path / "no curves.csv", docs=tmp_path)
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert "No run yet: 440 are planned." in text
    assert "`make study`" in text
    assert "Not measured yet." in text
    assert {path.name for path in tmp_path.iterdir()} == WITHOUT_RUNS


def test_pictures_are_there_and_the_same_again(tmp_path: Path) -> None:
    folders = tmp_path / "once", tmp_path / "again"
    for folder in folders:
        folder.mkdir()
        text = page(folder, [*claim_rows({"Jaccard": 1.0}), made("focal", 2, 3, 0, 0.5)])
    names = set(re.findall(r"\((study-[a-z-]+\.svg)\)", text))
    assert names == (WITHOUT_RUNS - {"study.md"}) | {"study-iou.svg", "study-losses-iou.svg"}
    for name in names:
        once, again = ((folder / name).read_bytes() for folder in folders)
        assert once == again
        assert len(once) > 5000


def test_the_picture_of_iou(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dots are the runs, the line is at their means, the bars end one deviation away, crosses are the source's."""
    drawn: list[Any] = []
    monkeypatch.setattr(figures, "_save", lambda figure, path: drawn.append(figure))
    cell = Cell("Jaccard", 4, 3)
    figures.draw_iou({cell: [0.5, 0.6, 0.7], Cell("Jaccard", 4, 5): []}, ["Jaccard"], tmp_path / "iou.svg")
    axes, other = drawn[0].axes
    ((points, _, (bars,)),) = axes.containers
    assert points.get_data()[0].tolist() == [4]
    assert points.get_data()[1] == pytest.approx([0.6])
    ((low, high),) = bars.get_segments()
    assert (low[1], high[1]) == pytest.approx((0.5, 0.7))
    dots, crosses = ([line for line in axes.lines if line.get_marker() == marker] for marker in (".", "x"))
    assert [line.get_ydata().tolist() for line in dots] == [[0.5, 0.6, 0.7]]
    assert [line.get_ydata().tolist() for line in crosses] == [[0.5527, 0.8031, 0.8765, 0.8839]]
    assert not any(line.get_marker() == "." for line in other.lines)


def test_the_protocol_is_that_of_the_runs(tmp_path: Path) -> None:
    assert results.protocol_of([made("Jaccard", 2, 3, 0, 0.5)], FULL) == SHORT
    assert results.protocol_of([], FULL) == FULL
    assert set(report.CHOICES) == {field.name for field in dataclasses.fields(FULL)}
    text = page(tmp_path, [made("Jaccard", 2, 3, 0, 0.5)])
    assert "| train | 8 | source | scenes |" in text
    (weights,) = lines_of(text, "| kernel 3 | 1967 |")
    assert weights.count("|") == 6


def test_scenes_of_mnist_need_its_files(tmp_path: Path) -> None:
    rows = [made("Jaccard", 2, 3, 0, 0.5, protocol=str(dataclasses.replace(SHORT, digits="MNIST")))]
    assert "`--mnist` says" in report.show_scenes(results.protocol_of(rows, FULL), tmp_path, None)
    assert not list(tmp_path.iterdir())


def test_a_zero_has_no_sign() -> None:
    assert [text.fixed(x) for x in (-1e-17, 0.0, -0.25)] == ["0.0000", "0.0000", "-0.2500"]


def test_curves_by_hand(tmp_path: Path) -> None:
    values = {"torch": (0.5, 0.25), "jax": (0.5, 0.2), "tensorflow": (0.505, 0.25)}
    points = [
        Point(framework, "1.2", dtype, "Jaccard", step, value)
        for framework, pair in values.items()
        for dtype in DTYPES
        for step, value in enumerate(pair, 1)
    ]
    curves.write(tmp_path / "curves.csv", points)
    report.write(tmp_path / "no results.csv", tmp_path / "curves.csv", docs=tmp_path)
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert "in 2 steps, with torch 1.2, jax 1.2, tensorflow 1.2:" in text
    assert "| Jaccard | float32 | 2.0e-01 | 1.0e-02 |" in text
    assert (tmp_path / "study-curves.svg").exists()


@pytest.mark.parametrize("ending", [None, KeyboardInterrupt])
def test_a_study_ends_with_its_page(
    ending: type[BaseException] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_run(runs: list[Run], protocol: Protocol, path: Path, *about: object, **options: object) -> None:
        with results.appending(path, protocol, Row) as (_, append):
            append(made(*runs[0], 0.5, protocol=str(protocol)))
        if ending is not None:
            raise ending

    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    monkeypatch.setattr(command_line, "study", one_run)
    assert command_line.main(["--quick", "--loss", "Dice"]) == (0 if ending is None else 130)
    text = (tmp_path / "build" / "study-quick" / "study.md").read_text(encoding="utf-8")
    assert "1 of 440 runs." in text
    assert "| train | 200 | source | scenes |" in text


def test_the_page_is_made_from_the_results(tmp_path: Path) -> None:
    """From as many runs as it says: a study that is going on appends more, and writes the page when it ends."""
    text = (report.DOCS / "study.md").read_text(encoding="utf-8")
    said = re.search(r"^(\d+) of \d+ runs", text, flags=re.MULTILINE)
    if said is not None:
        lines = report.RESULTS.read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / "results.csv").write_text("".join(lines[: int(said[1]) + 1]), encoding="utf-8")
    docs = tmp_path / "docs"
    docs.mkdir()
    report.write(tmp_path / "results.csv", docs=docs)
    assert text == (docs / "study.md").read_text(encoding="utf-8")
    assert {path.name for path in report.DOCS.glob("study*")} == {path.name for path in docs.iterdir()}

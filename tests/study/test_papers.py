"""The page of what the papers say and what came out: verdicts from made-up rows, and the page that is in docs/."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study import exponential, other_sources, papers, papers_page, points, results
from study.exponential import PULLS, read_maps, write_maps
from study.losses import ADAPTIVE, EXPONENTIAL
from study.other_sources import LOCAL, OTHERS
from study.papers import EXPERIMENTS
from study.protocol import SEEDS, SMALL, Run
from study.results import IOU, Row
from study.statistics import Comparison
from study.text import p_text
from tests.study.test_results import row

NOTHING: dict[str, Sequence[Any]] = {name: [] for name in OTHERS}


def iou_row(loss: str, seed: int, iou: float, **given: object) -> Row:
    """The same IoU for every class."""
    about = dict.fromkeys(IOU, iou) | {"protocol": str(SMALL)} | given
    return dataclasses.replace(row(Run(loss, 8, 3, seed)), **about)  # type: ignore[arg-type]


def points_row(loss: str, seed: int, reached: int | None, accuracy: float = 0.5) -> points.Row:
    about = {"weights": 1, "seconds": 60.0, "device": "cpu", "versions": "", "date": "2026-01-01"}
    return points.Row(
        loss,
        8,
        3,
        seed,
        1.0,
        accuracy,
        reached,
        "4 3 1",
        protocol=str(points.Protocol()),
        **about,  # type: ignore[arg-type]
    )


def tuned_row(loss: str, seed: int, iou: float, small: float = 0.25) -> exponential.Row:
    known = dataclasses.asdict(iou_row(loss, seed, iou))
    return exponential.Row(
        **known,
        edge_pixels=0.25,
        deviation_at_edges=0.75,
        deviation_minute=0.125,
        pull_at_edges=0.5,
        pull_minute=small,
    )


def page(folder: Path, **rows: Sequence[Any]) -> str:
    papers_page.write([], NOTHING | rows, folder / "no maps.csv", folder)
    return (folder / "papers.md").read_text(encoding="utf-8")


def line_of(text: str, part: str) -> str:
    """The first one, of two experiments on the same claims."""
    return next(line for line in text.splitlines() if part in line)


def test_every_claim_is_of_losses_and_experiments_that_there_are() -> None:
    assert EXPERIMENTS.keys() == OTHERS.keys()
    for name, source in OTHERS.items():
        losses = {run.loss for run in EXPERIMENTS[name].runs}
        assert {side.loss for claim in source.claims for side in (claim.higher, claim.lower)} <= losses
        assert len({claim.text for claim in source.claims}) == len(source.claims)
        assert {run.seed for run in EXPERIMENTS[name].runs} == set(SEEDS)
    assert {run.loss for run in EXPERIMENTS["adaptive"].runs} == set(ADAPTIVE)
    assert {run.loss for run in EXPERIMENTS["exponential"].runs} == set(EXPONENTIAL)
    assert set(other_sources.DIGITS) <= set(other_sources.MEASURES)


def test_verdicts_by_hand(tmp_path: Path) -> None:
    """Differences of 1 to 5 hundredths: the mean is 0.03, the interval 2.7764 · √(2.5/5) hundredths, p = 0.0132."""
    rows = [
        one
        for seed in SEEDS
        for one in (
            iou_row(LOCAL[5], seed, 0.5),
            iou_row("cross-entropy", seed, 0.5 - 0.01 * (1 + seed)),
            iou_row("center", seed, 0.5 + 0.01 * (1 + seed)),
            iou_row("loss max-pooling", seed, 0.5 + 0.01 * (-1, 2, 1, -2, 3)[seed]),
        )
    ]
    text = page(tmp_path, adaptive=[*rows, iou_row(LOCAL[3], 0, 0.4)])
    assert line_of(text, "a window of 5 × 5 is better than cross-entropy") == (
        "- **Holds**: locally adaptive, a window of 5 × 5 is better than cross-entropy (0.761 against 0.746 there);"
        " mean IoU 0.5000 with *locally adaptive, 5 × 5*, 0.4700 with *cross-entropy*, a difference of"
        " +0.0300 ± 0.0196, p = 0.013."
    )
    contradicted = line_of(text, "better than the center loss")
    assert contradicted.startswith("- **Contradicted**: ")
    assert "-0.0300 ± 0.0196" in contradicted
    assert line_of(text, "better than loss max-pooling").startswith("- **Not shown**: ")
    assert line_of(text, "a window of 5 × 5 is better than 3 × 3") == (
        "- **Waits** for its seeds, 1 of 5 are there: locally adaptive, a window of 5 × 5 is better than 3 × 3"
        " (0.761 against 0.757 there)."
    )
    assert "| center | 0.5300 ± 0.0158 |" in text


def test_a_verdict_waits_for_its_last_seed(tmp_path: Path) -> None:
    rows = [
        iou_row(loss, seed, 0.5 + 0.1 * (loss == LOCAL[5]) + 0.001 * seed * (loss == "center"))
        for seed in list(SEEDS)[:-1]
        for loss in (LOCAL[5], "center")
    ]
    text = page(tmp_path, adaptive=rows)
    assert line_of(text, "better than the center loss").startswith(
        "- **Waits** for its seeds, 4 of 5 are there: "
    )


@pytest.mark.parametrize(
    ("p", "said"), [(0.0498, "0.0498"), (0.0503, "0.0503"), (0.0512, "0.051"), (2e-4, "< 0.001")]
)
def test_a_p_near_the_level_says_on_which_side_it_is(p: float, said: str) -> None:
    assert p_text(Comparison(0.1, 0.1, p, 0.1, len(SEEDS))) == said


def test_orders(tmp_path: Path) -> None:
    """The center loss first, by a seed that all have; the others as in the source."""
    source = ["center", LOCAL[5], LOCAL[3], LOCAL[7], "cross-entropy", "focal, α = 0.25"]
    rows = [iou_row(loss, seed, 0.9 - 0.1 * i) for seed in SEEDS for i, loss in enumerate(source)]
    assert "Order in the source: locally adaptive, 5 × 5 > locally adaptive, 3 × 3 >" in page(
        tmp_path, adaptive=rows
    )
    assert f"Order here: {' > '.join(source)}." in page(tmp_path, adaptive=rows)
    assert "Order here" not in page(tmp_path, adaptive=rows[1:])


def test_what_never_comes_near_counts_as_an_epoch_more(tmp_path: Path) -> None:
    rows = [points_row("distance-aware", seed, 1 + (seed == 0)) for seed in SEEDS]
    rows += [points_row("cross-entropy", seed, None, 0.25) for seed in SEEDS]
    text = page(tmp_path, points=rows)
    sooner = line_of(text, ": distance-aware cross-entropy converges faster than cross-entropy")
    assert sooner.startswith("- **Holds**: ")
    assert (
        "epochs to the wanted error 4.0 with *cross-entropy*, 1.2 with *distance-aware*, a difference of +2.8"
        in sooner
    )
    assert "*cross-entropy* in 5 of the runs." in text
    assert line_of(text, "cross-entropy converges faster than the focal loss").startswith(
        "- **Waits** for its seeds, 0 of 5"
    )


def test_dice_is_that_of_the_iou_and_gains_are_of_the_same_seed(tmp_path: Path) -> None:
    """IoU 1/3 is Dice 1/2, IoU 3/5 is Dice 3/4."""
    rows = [tuned_row("cross-entropy", seed, 1 / 3) for seed in SEEDS]
    rows += [tuned_row("α = 20, n = 3", seed, 3 / 5, small=0.5 + 0.01 * seed) for seed in (0, 1)]
    text = page(tmp_path, exponential=rows)
    assert "| cross-entropy | 50.00 ± 0.00 | 0.500 ± 0.000 | 0.250 ± 0.000 |" in text
    assert (
        "| α = 20, n = 3 | 75.00 ± 0.00 (2 of 5) | 0.500 ± 0.000 (2 of 5) | 0.505 ± 0.007 (2 of 5) |" in text
    )
    assert papers_page.gains(rows) == {"α = 20, n = 3": pytest.approx([25.0, 25.0])}
    assert (
        "25 % of the pixels have a neighbour with another label, and 75 % of the deviation lies there" in text
    )


def test_pages_without_runs(tmp_path: Path) -> None:
    text = page(tmp_path)
    claims = sum(len(source.claims) for source in OTHERS.values())
    assert text.count("**Waits** for its seeds, 0 of 5") == claims + 9
    assert f"There are {claims + 9} verdicts." in text
    assert [path.name for path in tmp_path.iterdir()] == ["papers.md"]


def test_maps_are_read_as_they_were_written(tmp_path: Path) -> None:
    protocol = dataclasses.replace(SMALL, size=16, instances=1, train=8, validation=4, test=3, epochs=1)
    found = exponential.maps(Run("cross-entropy", 2, 3, 0), protocol, 2)
    assert [list(one) for one in found] == [["scene", "labels", "deviation", *PULLS]] * 2
    write_maps(tmp_path / "maps.csv", found)
    for wrote, read in zip(found, read_maps(tmp_path / "maps.csv"), strict=True):
        for name in wrote:
            assert np.allclose(read[name], wrote[name], rtol=0.01), name
    papers_page.write([], NOTHING, tmp_path / "maps.csv", tmp_path)
    assert "(papers-maps.svg)" in (tmp_path / "papers.md").read_text()
    assert (tmp_path / "papers-maps.svg").stat().st_size > 5000


@pytest.mark.parametrize("ending", [None, KeyboardInterrupt])
def test_the_experiments_that_are_named_are_carried_out(
    ending: type[BaseException] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried_out = []

    def one(runs: list[Run], protocol: object, path: Path, *about: object, **options: object) -> None:
        carried_out.append((path.name, len(runs)))
        if ending is not None:
            raise ending

    monkeypatch.setattr(papers, "study", one)
    monkeypatch.setattr(papers, "FOLDER", tmp_path)
    monkeypatch.setattr(papers, "DOCS", tmp_path)
    assert papers.main(["--only", "points"]) == (0 if ending is None else 130)
    assert carried_out == [("points.csv", 20)]
    assert (tmp_path / "papers.md").exists()


def test_the_page_is_made_from_the_results(tmp_path: Path) -> None:
    """From as many runs as it says: experiments that are going on append more, and write the page when they end."""
    text = (papers.DOCS / "papers.md").read_text(encoding="utf-8")
    for name in EXPERIMENTS:
        said = re.search(rf"^\| `study/{name}\.csv` \| (\d+) ", text, flags=re.MULTILINE)
        if said is not None:
            lines = (papers.FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
            (tmp_path / f"{name}.csv").write_text("".join(lines[: int(said[1]) + 1]), encoding="utf-8")
    for name in ("results.csv", papers.MAPS.name):
        (tmp_path / name).write_bytes((papers.FOLDER / name).read_bytes())
    docs = tmp_path / "docs"
    docs.mkdir()
    papers.write(tmp_path, docs)
    assert text == (docs / "papers.md").read_text(encoding="utf-8")
    assert {path.name for path in papers.DOCS.glob("papers*")} == {path.name for path in docs.iterdir()}
    assert results.read(papers.FOLDER / "points.csv", points.Row)

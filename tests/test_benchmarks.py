"""The benchmarks, not timed: everyone computes the same number, and what is made of measurements is right."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import plan, report, results, targets
from benchmarks.cases import (
    BATCH_LOSSES,
    CASES,
    DISTANCE_MAP,
    FURTHER_LOSSES,
    MULTICLASS,
    Case,
    make_inputs,
)
from benchmarks.competitors import ANOTHER_NUMBER, FRAMEWORKS, LIBRARIES, LIMIT, OURS, PLAIN, module_of
from benchmarks.results import Row, quartiles, ratios
from benchmarks.run import difference
from benchmarks.worker import Worker, in_form, make_runner

TINY = {
    case.name: case
    for case in (
        Case("binary", (2, 1, 8, 8), (*MULTICLASS, "tversky"), ""),
        Case("images", (2, 4, 9, 9), (*MULTICLASS, *BATCH_LOSSES, "tversky", "local_3"), ""),
        Case("volumes", (2, 3, 4, 4, 4), ("dice",), ""),
        Case("more", (2, 4, 9, 9), ("lovasz_softmax", *FURTHER_LOSSES), ""),
        Case("vessels", (2, 1, 9, 8), ("cl_dice", "hausdorff_dt", DISTANCE_MAP), ""),
        Case("vessels-ct", (1, 1, 6, 7, 8), ("cl_dice", "hausdorff_dt", DISTANCE_MAP), ""),
    )
}
PEERS = {
    "monai": "monai",
    "kornia": "kornia",
    "optax": "optax",
    "exacta": "exacta",
    "segmentation_models_pytorch": "smp",
}
COMPARED = [
    (framework, library)
    for framework, libraries in LIBRARIES.items()
    for library in libraries
    if library != OURS and library not in ANOTHER_NUMBER
]


@functools.cache
def first_value(framework: str, library: str, case: Case, loss: str) -> Any:
    """What a worker says first, or why it has nothing to say."""
    found = make_runner(framework, FRAMEWORKS[framework][0], "cpu", library, case, loss)
    return found if isinstance(found, str) else Worker(found[0], case).value(comparable=True)


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("framework", "library"), COMPARED)
def test_everyone_computes_our_number(framework: str, library: str) -> None:
    if library in PEERS:
        pytest.importorskip(library, reason=f"{library} is a dependency of the benchmarks alone")
    compared = 0
    for case in TINY.values():
        for loss in case.losses:
            theirs = first_value(framework, library, case, loss)
            if isinstance(theirs, str):
                assert theirs == "" or theirs.startswith("another number: "), theirs
                continue
            assert difference(theirs, first_value(framework, OURS, case, loss)) < 1e-5, (case.name, loss)
            compared += 1
    assert compared


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_library_is_listed(framework: str) -> None:
    assert tuple(module_of(framework).LIBRARIES) == LIBRARIES[framework]


def test_a_number_of_another_convention_is_seen() -> None:
    ours, theirs = (first_value("torch", OURS, TINY["images"], loss) for loss in ("dice", "batch_dice"))
    assert difference(theirs, ours) > 1e-3
    assert difference(
        {"value": 1.0, "gradient": [1.0, 2.2]}, {"value": 1.0, "gradient": [1.0, 2.0]}
    ) == pytest.approx(0.1)
    assert difference({"value": 1.5, "gradient": [1.0]}, {"value": 1.0, "gradient": [1.0]}) == pytest.approx(
        0.5
    )
    assert np.isnan(difference({"value": np.nan, "gradient": [1.0]}, {"value": 1.0, "gradient": [1.0]}))


@pytest.mark.parametrize("name", ["binary", "voc", "ct", "small", "classes-128"])
def test_every_class_is_in_every_image(name: str) -> None:
    case = CASES[name]
    _, labels = make_inputs(case)
    classes = np.arange(max(case.classes, 2))
    assert all(np.array_equal(np.unique(image), classes) for image in labels)


def test_forms_of_a_target() -> None:
    labels = np.array([[[0, 2], [1, 1]]])
    one_hot = in_form(labels, Case("", (1, 3, 2, 2), (), ""), "one-hot")
    assert one_hot.shape == (1, 3, 2, 2)
    assert one_hot[0, :, 0, 1].tolist() == [0, 0, 1]
    assert in_form(labels, Case("", (1, 3, 2, 2), (), ""), "labels") is labels
    assert in_form(labels > 0, Case("", (1, 1, 2, 2), (), ""), "mask").tolist() == [[[[0, 1], [1, 1]]]]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("jobs", [plan.full, plan.quick])
def test_the_plan_has_each_job_once(jobs: Any, device: str) -> None:
    found = jobs(device)
    assert len(set(found)) == len(found) > 0


def test_ratios_are_taken_round_by_round() -> None:
    # The second round is ten times as slow for both: the ratio of medians would be 3 / 1, or 30 / 10 by luck.
    theirs, ours = [2.0, 30.0, 3.0], [1.0, 10.0, 1.0]
    assert ratios(theirs, ours) == [2.0, 3.0, 3.0]
    assert quartiles(ratios(theirs, ours)) == (2.5, 3.0, 3.0)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        ratios(theirs, ours[:2])


def row(library: str, **given: Any) -> Row:
    about = {"framework": "torch", "mode": "eager", "surroundings": "default", "case": "ct", "loss": "dice"}
    numbers = {"seconds": 0.1, "ratio": 1.0, "memory": 1.0}
    spread = {}
    for name, value in (numbers | {k: v for k, v in given.items() if k in numbers}).items():
        spread |= {f"{name}_low": round(0.9 * value, 4), name: value, f"{name}_high": round(1.1 * value, 4)}
    run = {"machine": "A <machine>", "cores": 2, "threads": 2, "memory_gib": 8.0, "copy_gb_per_s": 20.0}
    return Row(shape="2×14×96×96×96", dtype="float32", library=library, **about | run | given | spread)  # type: ignore[arg-type]


def test_results_are_kept_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    results.write(path, [row(OURS), row("monai", ratio=2.0)])
    results.write(path, [row("monai", ratio=3.0), row("kornia", note="refused, for a reason")])
    found = {row.library: row for row in results.read(path)}
    assert list(found) == [OURS, "monai", "kornia"]
    assert found["monai"] == row("monai", ratio=3.0)


def test_bounds_of_targets() -> None:
    rows = [row(OURS, memory=1.6), row("monai", ratio=2.0), row(LIMIT, ratio=0.4), row(PLAIN, ratio=5.0)]
    given = {"framework": "torch", "mode": "eager", "cases": ("ct",), "losses": ("dice",)}
    wanted = [
        targets.Target("reached", library="monai", at_least=2.0, **given),  # type: ignore[arg-type]
        targets.Target("not reached", library="monai", at_least=2.1, **given),  # type: ignore[arg-type]
        targets.Target("not reached", library=LIMIT, at_most=2.4, **given),  # type: ignore[arg-type]
        targets.Target("reached", library=LIMIT, at_most=2.6, **given),  # type: ignore[arg-type]
        targets.Target("not reached", at_most=1.5, **given),  # type: ignore[arg-type]
        targets.Target("reached", at_most=1.7, **given),  # type: ignore[arg-type]
        targets.Target("not measured", library="kornia", at_least=1.0, **given),  # type: ignore[arg-type]
    ]
    words = {True: "reached", False: "not reached", None: "not measured"}
    for verdict in targets.judge(rows, wanted):
        assert words[verdict.reached] == verdict.target.about, verdict
    (over_the_limit, _) = targets.judge(rows, wanted[2:4])
    assert over_the_limit.found == pytest.approx((1 / 0.44, 2.5, 1 / 0.36))


def test_memory_over_that_of_another_loss() -> None:
    rows = [
        row(OURS, case="local", loss=f"local_{size}", memory=memory) for size, memory in ((3, 2.0), (7, 3.0))
    ]
    (target,) = (target for target in targets.TARGETS if target.like)
    (verdict,) = targets.judge(rows, [target])
    assert verdict.found == (1.5, 1.5, 1.5)
    assert verdict.reached is False


def test_a_page_from_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the pictures are drawn with matplotlib")
    growing = [row(OURS, case=f"side-{side}", seconds=side / 1e4) for side in (64, 128)]
    refused = row("kornia", note="refused: another number")
    results.write(tmp_path / "results.csv", [row(OURS), row("monai", ratio=2.75), *growing, refused])
    report.write(tmp_path / "results.csv", tmp_path)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert (
        "| torch eager | faster than MONAI | monai | ct | dice | ≥ 2.5 | 2.75 (2.48–3.02) | reached |" in page
    )
    assert "|  |  | monai | 100 (90–110) | 2.75 (2.48–3.02) | 1 |" in page
    assert "| torch | kornia | dice | refused: another number |" in page
    for picture in ("benchmarks-a-machine.svg", "benchmarks-a-machine-growth.svg"):
        assert f"({picture})" in page
        assert (tmp_path / picture).read_text(encoding="utf-8").count("<path") > 10


def test_the_page_is_made_from_the_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the pictures are drawn with matplotlib")
    report.write(docs=tmp_path)
    for page in tmp_path.glob("*.md"):
        assert (report.DOCS / page.name).read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
    assert {path.name for path in report.DOCS.glob("benchmarks*")} == {
        path.name for path in tmp_path.iterdir()
    }

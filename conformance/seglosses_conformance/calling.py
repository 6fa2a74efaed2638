"""The suite as a call: `conform(dice, "DiceLoss")` for a function of one's own."""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from seglosses_conformance import planning, runner
from seglosses_conformance.cases import Case, cases_named, load_cases
from seglosses_conformance.grades import GRADES, STRICTEST
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.own import FRAMEWORKS, Own, check_names, own_target
from seglosses_conformance.records import Record
from seglosses_conformance.report import Report, describe_run
from seglosses_conformance.tolerance import DTYPES


def conform(
    implementation: Callable[..., Any] | str,
    loss: str,
    *,
    framework: str = "torch",
    set: Mapping[str, Any] | None = None,
    rename: Mapping[str, str | Iterable[str]] | None = None,
    grade: str = STRICTEST,
    cases: Iterable[str] | None = None,
    folder: str | Path | None = None,
    dtypes: Iterable[str] = DTYPES,
    wanted: Callable[[Record], bool] = lambda record: True,
) -> Report:
    """Run the cases of a loss, and the checks, on an implementation of it, in this process.

    It is `python -m seglosses_conformance --target`, of which `--help` says how an implementation is called.

    >>> import seglosses_torch
    >>> report = conform(seglosses_torch.DiceLoss, "DiceLoss", cases=["dice/smooth-*"], dtypes=["float32"])
    >>> report.conforms, report.counts["fail"]
    (True, 0)

    Parameters
    ----------
    implementation
        A function, a class or an object that is called, or `"package.module:callable"`.
    loss
        The name of the loss that it implements: `"DiceLoss"`.
    framework
        What it is written in: `"numpy"`, `"torch"`, `"jax"` or `"tensorflow"`.
    set
        Keywords of every call, `{"softmax": True}`; `"target"` is the form of labels, `"one-hot"` or `"channel"`.
    rename
        What it calls hyper-parameters and arrays, `{"smooth": "eps", "aggregate:batch": "batch:true"}`; several names
        in a list.
    grade
        What is asked of it: `"accurate"`, `"convention"` or `"exact"`.
    cases
        Ids of cases, or patterns; all by default.
    folder
        A folder of case files in place of the suite's.
    dtypes
        Of the logits.
    wanted
        Which comparisons are made, given the records that they are to fill in.

    Returns
    -------
    Report
        `conforms` says whether nothing fails, `str(report)` what the command prints; `records` has every comparison.

    Raises
    ------
    ValueError
        If a name is not known, or the implementation cannot be imported.
    """
    _known("framework", [framework], FRAMEWORKS)
    _known("grade", [grade], GRADES)
    dtypes = _known("dtypes", dtypes, DTYPES)
    own = _own(implementation, framework, set or {}, rename or {})
    chosen = cases_of(loss, cases, folder)
    check_names(own, chosen)
    made = planning.plan(chosen, [own_target(own)], dtypes, grade=grade)
    made.comparisons = [comparison for comparison in made.comparisons if wanted(comparison.record)]
    started = time.time()
    with warnings.catch_warnings(action="ignore"):  # as in a process of the suite
        outcome = runner.run(made, functools.partial(runner.in_this_process, targets=made.targets))
    run = describe_run([], outcome.environment, started, time.time(), grade)
    return Report({**run, "command": f"conform({own.path}, {loss!r})"}, outcome.records, [])


def cases_of(loss: str, patterns: Iterable[str] | None, folder: str | Path | None) -> list[Case]:
    """The cases of a loss that are asked for; a ValueError says what there is not."""
    if folder is None:
        _known("loss", [loss], sorted(ENTRIES))
        of_loss = load_cases([loss])
    else:
        from seglosses_conformance.case_files import read_cases  # with a library that other runs do not need

        cases = read_cases(Path(folder))
        _known("loss", [loss], dict.fromkeys(case.loss for case in cases))
        of_loss = [case for case in cases if case.loss == loss]
    return of_loss if patterns is None else cases_named(of_loss, patterns)


def _own(
    implementation: Any, framework: str, fixed: Mapping[str, Any], rename: Mapping[str, str | Iterable[str]]
) -> Own:
    renames = tuple(
        f"{ours}={theirs}"
        for ours, names in rename.items()
        for theirs in ([names] if isinstance(names, str) else names)
    )
    if isinstance(implementation, str):
        return Own(implementation, framework, dict(fixed), renames)
    named = implementation if hasattr(implementation, "__qualname__") else type(implementation)
    name = f"{named.__module__}:{named.__qualname__}"
    return Own(name, framework, dict(fixed), renames, implementation)


def _known(what: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    given, known = list(given), list(known)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"{what}: there is no {', '.join(map(repr, unknown))}; there are {', '.join(known)}")
    return given

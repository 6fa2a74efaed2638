"""One library with one case in a process of its own. It does what the lines on its standard input ask for, and answers
each with a line of JSON. The first line, unasked, has the value and the gradient at some places.

    memory     the bytes of one evaluation beyond the logits and a gradient, and how they were measured
    pace       how many evaluations take about 20 ms
    time K     the seconds of one evaluation, from K of them in a row
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import Any

import numpy as np

from benchmarks.cases import CASES, Case, make_inputs
from benchmarks.competitors import ANOTHER_NUMBER, LIMIT, Differs, module_of

PLACES = 10_000
"""Where gradients are compared."""


def in_form(labels: np.ndarray, case: Case, form: str) -> np.ndarray:
    """The target in the form that a competitor takes, with the class axis 1."""
    if form == "labels":
        return labels
    if form == "mask":
        return labels[:, None].astype(np.float32)
    return np.moveaxis(np.eye(case.classes, dtype=np.float32)[labels], -1, 1)


def make_runner(
    framework: str, mode: str, device: str, library: str, case: Case, loss: str
) -> tuple[Any, str] | str:
    """The runner of a library and the form of its target, or the reason why there is none, empty if the library has no
    such loss."""
    module = module_of(framework)
    try:
        competitor = module.LIBRARIES[library](case, loss)
    except Differs as difference:
        return f"another number: {difference}"
    except ImportError as error:
        return f"not installed: {error}"
    if competitor is None:
        return ""
    logits, labels = make_inputs(case)
    form = competitor.target or ("mask" if case.binary else "labels")
    target = in_form(labels, case, form)
    options = {"mode": mode, "device": device, "differentiate": library != LIMIT}
    return module.Runner(competitor, case, logits, target, **options), form


class Worker:
    def __init__(self, runner: Any, case: Case) -> None:
        self.runner, self.case = runner, case

    def value(self, comparable: bool) -> dict[str, Any]:
        result = self.runner.evaluate()
        if not comparable:
            return {}
        value, gradient = self.runner.numpy(result)
        flat = gradient.reshape(-1)
        places = np.random.default_rng(1).integers(flat.size, size=PLACES)
        return {"value": value, "gradient": flat[places].tolist()}

    def memory(self) -> dict[str, Any]:
        found, how = self.runner.peak()
        return {"bytes": found - self.case.logits_bytes * (how != "XLA temporaries"), "how": how}

    def pace(self) -> dict[str, Any]:
        # The first calls of a form take longer.
        seconds = min(self.time(1)["seconds"] for _ in range(3))
        return {"repeats": max(1, min(1000, math.ceil(0.02 / seconds)))}

    def time(self, repeats: int) -> dict[str, Any]:
        evaluate, wait = self.runner.evaluate, self.runner.wait
        start = time.perf_counter()
        for _ in range(repeats):
            result = evaluate()
        wait(result)
        return {"seconds": (time.perf_counter() - start) / repeats}


def main() -> None:
    # What libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**given: Any) -> None:
        print(json.dumps(given), file=answers, flush=True)

    framework, mode, device, library, case_name, loss = sys.argv[1:]
    case = CASES[case_name]
    try:
        found = make_runner(framework, mode, device, library, case, loss)
        if isinstance(found, str):
            answer(absent=found)
            return
        runner, form = found
        worker = Worker(runner, case)
        answer(target=form, **worker.value(library not in ANOTHER_NUMBER), **runner.about())
        for line in sys.stdin:
            command, *given = line.split()
            answer(**getattr(worker, command)(*map(int, given)))
    except Exception as error:
        answer(failed=f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    main()

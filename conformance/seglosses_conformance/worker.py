"""Computes results, in a process of its own: `python -m seglosses_conformance.worker` reads one request, writes lines.

A request and each line are JSON; nothing is pickled. A process for each framework means that Keras has one backend in
each, that no framework sees the settings of another, and that one that crashes takes nothing along.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import json
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seglosses_conformance.cases import ARRAYS, Case, decode, encode, map_upstream
from seglosses_conformance.checks import PER_IMAGE
from seglosses_conformance.frameworks import Call, Evaluation, Framework, Unavailable, Unsupported
from seglosses_conformance.own import Own, own_target
from seglosses_conformance.returned import Misused
from seglosses_conformance.targets import TARGETS, Target
from seglosses_conformance.tolerance import computed_dtype
from seglosses_conformance.ways import DERIVATIVES, LAYOUTS, direction

_COMPUTED = ("logits", "features", "centers")


@dataclass(frozen=True)
class Inputs:
    """What a worker needs of a case."""

    id: str
    loss: str
    hyperparameters: dict[str, Any]
    arrays: dict[str, np.ndarray]
    value_shape: tuple[int, ...]
    """That of the value, if the class axis is 1."""


def case_to_json(case: Case) -> dict[str, Any]:
    """What a worker needs of a case, as JSON."""
    arrays = {name: getattr(case, name) for name in ARRAYS if getattr(case, name) is not None}
    return {
        "loss": case.loss,
        "hyperparameters": case.hyperparameters,
        "arrays": {name: encode(array) for name, array in arrays.items()},
        "value_shape": case.expected.value.shape,
    }


def _case_from_json(name: str, case: dict[str, Any]) -> Inputs:
    arrays = {name: decode(array) for name, array in case["arrays"].items()}
    return Inputs(name, case["loss"], case["hyperparameters"], arrays, tuple(case["value_shape"]))


def answer(request: dict[str, Any], targets: Mapping[str, Target] = TARGETS) -> Iterator[dict[str, Any]]:
    """One line for each job of a request, in order, each with the number of its job.

    A request has `targets`, {name: {} or `Own.as_json()`}, of which the first are taken from `targets`, if they are
    there, and the others made; `device`; `cases`, by id; `jobs`, each as `records.Job` without the device. A line has
    the result, or `error`, `unsupported` or `absent` with the reason, and `raised` if the reason is an exception of the
    target's. Lines without a number have the settings of a framework.
    """
    cases = {name: _case_from_json(name, case) for name, case in request["cases"].items()}
    for name, options in request["targets"].items():
        target = targets[name] if name in targets else own_target(Own(**options))
        jobs = [(number, job) for number, job in enumerate(request["jobs"]) if job["target"] == name]
        if target.own:
            try:
                _ = target.own.callable
            except ValueError as error:
                yield {"usage": str(error)}
                return
        try:
            framework = target.framework(request["device"])
        except (Unavailable, ImportError) as error:
            yield from ({"job": number, "absent": str(error)} for number, _ in jobs)
            continue
        yield {"environment": framework.environment()}  # before the first result, which may take its time
        for number, job in jobs:
            yield {"job": number, **result_of(target, framework, cases[job["case"]], job)}


def result_of(target: Target, framework: Framework, case: Inputs, job: dict[str, Any]) -> dict[str, Any]:
    """Run one case on one target; what goes wrong in it is a result too."""
    try:
        with framework.session(job["dtype"]):
            return _evaluate(target, framework, case, job)
    except Unsupported as reason:
        return {"unsupported": str(reason)}
    except Misused as error:
        return {"error": str(error)}
    except Exception as error:
        if target.own and job["way"] in DERIVATIVES:
            return {"unsupported": f"no {job['way']}: {_shortened(str(error))}"}
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error}".strip()
        text = f"{_shortened(message)} ({os.path.basename(last.filename)}:{last.lineno})"
        if target.own is not None and re.search("shape|must match|channel", message):
            text += target.own.hint(case.arrays["target"], case.arrays["logits"])
        return {"error": text, "raised": type(error).__name__}


def _evaluate(target: Target, framework: Framework, case: Inputs, job: dict[str, Any]) -> dict[str, Any]:
    way, axis = job["way"], job["class_axis"]
    for array in case.arrays.values():
        if array.dtype.name in target.unsupported:
            raise Unsupported(target.unsupported[array.dtype.name])
    if target.own:
        if way == "class axis":
            target.own.require_class_axis()
        labels = target.own.with_labels(case.arrays["target"], case.arrays["logits"])
        case = dataclasses.replace(case, arrays={**case.arrays, "target": labels})
    make = functools.partial(_array, framework, case, job)
    arrays = {name: make(name, values) for name, values in case.arrays.items()}
    function = target.make(case.loss, case.hyperparameters, axis, arrays)
    if way in LAYOUTS:
        changed = {name: framework.laid_out(arrays[name], way) for name in PER_IMAGE if name in arrays}
        arrays = {**arrays, **changed}
    wrt: list[str] = [name for name in ("logits", "features") if name in arrays] if job["gradient"] else []
    upstream = make("upstream", job["upstream"] * map_upstream(case.value_shape))
    call = Call(function, arrays, wrt, axis, upstream)
    before = (
        {name: framework.numpy(array).copy() for name, array in arrays.items()}
        if framework.overwritable
        else {}
    )
    if way in DERIVATIVES:
        result = _derivative(framework, call, make, DERIVATIVES[way], case.arrays[DERIVATIVES[way]])
    else:
        if way == "after another":
            others = {name: make(name, np.flip(case.arrays[name]).copy()) for name in arrays}
            framework.evaluate(dataclasses.replace(call, arrays=others))
        evaluate = getattr(framework, way.replace(" ", "_"), framework.evaluate)
        result = _described(framework, evaluate(call), case, axis)
    for name, values in before.items():
        if not np.array_equal(framework.numpy(arrays[name]), values, equal_nan=True):
            return {"error": f"the {name} are overwritten by the call"}
    return result


def _described(framework: Framework, evaluation: Evaluation, case: Inputs, axis: int) -> dict[str, Any]:
    rank = case.arrays["logits"].ndim
    values = [framework.numpy(value) for value in evaluation.values]
    gradients = {name: framework.numpy(gradient) for name, gradient in evaluation.gradients.items()}
    return {
        "values": [encode(np.moveaxis(v, axis, 1) if v.ndim == rank else v) for v in values],
        "gradients": {
            name: encode(np.moveaxis(g, axis, 1) if g.ndim == rank else g) for name, g in gradients.items()
        },
        "dtypes": {
            "value": [dtype_name(value) for value in evaluation.values],
            **{name: [dtype_name(gradient)] for name, gradient in evaluation.gradients.items()},
        },
        "remark": evaluation.remark,
    }


def _derivative(
    framework: Framework, call: Call, make: Callable[..., Any], name: str, array: np.ndarray
) -> dict[str, Any]:
    """A derivative along a direction by autodiff, and by differences: that of the gradient with respect to the logits,
    or of the value with respect to another array."""
    along = direction(name, array)
    second = name == "logits"

    def at(step: float) -> np.ndarray:
        moved = dataclasses.replace(
            call,
            arrays={**call.arrays, name: make(name, array + step * along)},
            wrt=["logits"] if second else [],
        )
        evaluation = framework.evaluate(moved)
        return framework.numpy(evaluation.gradients["logits"] if second else evaluation.values[-1])

    if second:
        derivative = framework.numpy(framework.curvature(call, make(name, along)))
    else:
        evaluation = framework.evaluate(dataclasses.replace(call, wrt=[name]))
        gradient = framework.numpy(evaluation.gradients[name])
        derivative = np.asarray(np.sum(gradient * framework.numpy(make(name, along))))
    h = 2.0**-9  # of the fourth order, with as much truncation as rounding
    differences = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return {"derivative": encode(derivative), "differences": encode(differences)}


def _array(framework: Framework, case: Inputs, job: dict[str, Any], name: str, values: np.ndarray) -> Any:
    """Numbers that have their class axis at 1 as an array of the framework, as the job wants it."""
    if values.ndim == case.arrays["logits"].ndim:
        values = np.moveaxis(values, 1, job["class_axis"])
    if values.dtype != np.float64:
        return framework.array(values, str(values.dtype))
    # Soft targets and weights are data, which nobody halves; logits are in the dtype that is asked about.
    dtype = job["dtype"]
    return framework.array(values, dtype if name in _COMPUTED else computed_dtype(dtype))


def dtype_name(array: Any) -> str:
    """The name of an array's dtype, the same in every library."""
    dtype = getattr(array, "dtype", type(array))
    return getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]


def _shortened(message: str, length: int = 500) -> str:
    message = " ".join(message.split())
    return message if len(message) <= length else message[:length] + " …"


def main() -> None:
    """Answer the request on standard input, by lines on what standard output was."""
    # Frameworks print to standard output now and then; the answers go where nothing else does.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    gc.set_threshold(100_000)  # tracing a function makes a million objects, most of which stay
    request = json.load(sys.stdin)
    with contextlib.closing(answers):
        for line in answer(request):
            answers.write(json.dumps(line, allow_nan=False) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()

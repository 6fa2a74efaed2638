"""Write the case files: `python -m seglosses_conformance.generate` lets the oracle answer every case of every loss.

Deterministic: the same entries give the same bytes. Inputs are rounded to each dtype first, and where that changes
them the oracle answers again, so that no dtype is blamed for the rounding of its inputs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from math import frexp, isfinite, ldexp
from pathlib import Path
from typing import Any

import numpy as np

from . import oracle
from .cases import ARRAYS, FOLDER, Case, encode, encode_number
from .definitions import Definition
from .losses import ENTRIES

# What a dtype rounds to: the bits of its significand. No case comes near its smallest or largest number.
PRECISION = {"float32": 24, "float16": 11, "bfloat16": 8}
# These have the logits' dtype. Targets, masks and weights are representable in float32 and keep their own.
ROUNDED = ("logits", "centers", "features")


def round_to(bits: int, array: Any) -> np.ndarray:
    """The nearest numbers with so many significant bits, ties to even."""

    def nearest(x: float) -> float:
        if not isfinite(x):
            return x
        fraction, exponent = frexp(x)
        return ldexp(round(ldexp(fraction, bits)), exponent - bits)

    array = np.asarray(array)
    return np.array([nearest(x) for x in array.ravel().tolist()]).reshape(array.shape)


def inputs_for(definition: Definition | Case, dtype: str = "float64") -> dict[str, Any]:
    """The arrays of a definition, or of its case, as a target of that dtype sees them."""
    arrays = {name: getattr(definition, name) for name in ARRAYS}
    arrays = {name: None if array is None else np.asarray(array) for name, array in arrays.items()}
    for name in ROUNDED:
        if dtype != "float64" and arrays[name] is not None:
            arrays[name] = round_to(PRECISION[dtype], arrays[name])
    return arrays


def question(loss: str, definition: Definition) -> dict[str, Any]:
    """What the file says of a case before it is answered."""
    entry = ENTRIES[loss]
    return {
        "id": entry.id_of(definition.name),
        "comment": definition.comment,
        "source": definition.source or entry.source,
        "flags": list(definition.flags),
        "hyperparameters": definition.hyperparameters,
        **{
            name: None if array is None else encode(array)
            for name, array in inputs_for(definition).items()
            if array is not None or name != "instances"  # which one loss alone has
        },
    }


def answer(loss: str, definition: Definition) -> dict[str, Any]:
    """The case as it stands in the file."""

    def expected(inputs: dict[str, Any]) -> dict[str, Any]:
        try:
            return expected_to_json(oracle.evaluate(loss, definition.hyperparameters, **inputs))
        except Exception as error:
            error.add_note(f"In the case {definition.name!r} of {loss}.")
            raise

    def same(inputs: dict[str, Any], others: dict[str, Any]) -> bool:
        given = [name for name in ROUNDED if inputs[name] is not None]
        return all(np.array_equal(inputs[name], others[name], equal_nan=True) for name in given)

    inputs = inputs_for(definition)
    rounded = {dtype: inputs_for(definition, dtype) for dtype in PRECISION}
    by_dtype = {dtype: expected(arrays) for dtype, arrays in rounded.items() if not same(arrays, inputs)}
    case = question(loss, definition) | {"expected": expected(inputs)}
    return case | ({"expected_by_dtype": by_dtype} if by_dtype else {})


def expected_to_json(expected: oracle.Expected) -> dict[str, Any]:
    def entry(value: Any) -> Any:
        return encode(np.array(value)) if isinstance(value, list) else encode_number(value)

    return {name: entry(value) for name, value in vars(expected).items()}


def to_text(loss: str, cases: Sequence[dict[str, Any]]) -> str:
    """JSON with one line for each field of a case, so that a change of one case is a small difference."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    blocks = [
        "{\n" + ",\n".join(f"   {line(name)}: {line(value)}" for name, value in case.items()) + "\n  }"
        for case in cases
    ]
    return f'{{"format": 1, "loss": {line(loss)}, "cases": [\n  ' + ",\n  ".join(blocks) + "\n]}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m seglosses_conformance.generate", description=__doc__)
    parser.add_argument("losses", nargs="*", metavar="LOSS", help="only these losses (all by default)")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write (the package's own cases)"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.losses) - set(ENTRIES)
    if unknown:
        parser.error(f"no entry of {', '.join(sorted(unknown))}; there are {', '.join(sorted(ENTRIES))}")
    for loss in options.losses or ENTRIES:
        cases = [answer(loss, definition) for definition in ENTRIES[loss].cases]
        (options.folder / f"{loss}.json").write_text(to_text(loss, cases), encoding="utf-8")
        print(f"{loss}: {len(cases)} cases")


if __name__ == "__main__":
    main()

"""Writes `docs/presets/`, a page for each library whose losses are there by their names, and one for all of them:
`python docs/make_presets.py`."""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import seglosses_core
from seglosses_conformance.presets import documents
from seglosses_conformance.presets.inputs import FURTHER, INPUTS
from seglosses_core.presets import PEERS
from seglosses_core.presets.recipe import LIBRARIES, PRESETS, Recipe, Sizes

HERE = Path(__file__).parent
FOLDER = HERE / "presets"
PIXELS = 12
"""Of the inputs that most calls were recorded with."""

HEAD = """# Losses of other libraries

One import changes, and the numbers stay: value and gradient, so that the learning rate stays too.

```python
from seglosses_torch.presets.monai import DiceCELoss  # was: from monai.losses import DiceCELoss

loss = DiceCELoss(softmax=True, to_onehot_y=True)  # MONAI's arguments, in its order, with its defaults
loss(logits, labels)  # (B, C, H, W) and (B, 1, H, W), floats or integers
loss.equivalent(num_classes=4)  # the same in our own words
```

`seglosses_jax.presets` and `seglosses_keras.presets` have the same, with the class axis last: `class_axis=1` takes the
arrays of PyTorch. Import losses, not modules, whose names would hide the library's.

Value and gradient were recorded from each library; the tests hold PyTorch, JAX and NumPy against them, and
`python -m seglosses_conformance --presets monai` any target. What is not supported raises an error that says what to do
instead. What a loss takes there when it is called, such as mmsegmentation's `ignore_index`, it takes here too, except
in Keras. A loss by its own name takes more: weights of pixels, arrays that are learnt, sums.

"""

CONVENTIONS = """
## Whose Dice is it?

Losses of one name differ in what they count. These are the defaults of each library, for exclusive classes where it
knows them, as its recipe has them.

"""

AGREEMENT = """
## How many agree

A configuration is a loss with its arguments, those of its call too. It agrees if value and gradient are those that the
library gave, on everything that it was recorded on: in float64 to 1e-9, of losses that compute in float32 to 1e-6 and
1e-5. Where only the gradient is the same, the page of the library says what differs. What an error refuses is not
among them.

"""

NEEDS_IT = "A batch of one-channel logits needs its axis:\n`(N, 1, *S)`."
MAY_LACK_IT = """Losses that are for one class
alone take a batch of logits `(N, *S)`, too; for others it needs its axis, `(N, 1, *S)`."""

SURVEYED = """

## Of those that were measured before

"""

PAGE = """# From {title}

```python
{before}
{after}
```

In JAX and in Keras it is `seglosses_jax.presets.{peer}` and `seglosses_keras.presets.{peer}`, with the class axis last,
or with `class_axis=1` for arrays of PyTorch's layout.

## Their losses in our own words

Each row was recorded from {title} {version}, value and gradient, and is compared with it in the tests.
`loss.equivalent(num_classes=4)` gives the right column as an object{weights}.

| theirs | in our own words |
| --- | --- |
{rows}

## What differs

{differs}
- An argument that no loss of ours stands for is an error, which says what to do instead. Nothing is ignored in silence,
  and nothing broadcasts: a label outside the classes makes the value NaN, and is an error with `validate=True`.
- Half precision is computed in float32, so that large images do not overflow.

## What you feed it

Labels may be of any integer dtype, or floats that hold integers, with or without an axis of length 1 for the classes.
`{logits}` and `{target}` are names for logits and target as well. {one_class}

A checkpoint of a module that owned their loss loads strictly, with the same weights. `torch.compile`, autocast,
`jax.jit` and Keras' `fit` take a preset as they take our own losses.

## How to be sure

```python
def told(loss):  # of theirs and of ours, on a batch of yours
    value = loss(logits.double().requires_grad_(), target)
    return value, *torch.autograd.grad(value, logits)
```

In float64 they part by less than 1e-9 where {title} computes in float64.
`python -m seglosses_conformance --presets {peer}` makes the comparisons that were recorded, and `make peers` those with
the release that is installed. [Benchmarks](../benchmarks.md) has time and memory beside other libraries.
"""


def asked(peer: str) -> Any:
    """What was recorded: `calls()`, and where it is installed."""
    sys.path.insert(0, str(HERE.parent / "tests" / "presets"))
    import preset_calls

    return preset_calls.asked(peer)


def theirs(call: Any) -> str:
    made = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.name}({made}){_called(call.call)}"


def _called(given: dict[str, Any]) -> str:
    """A call with arguments beside logits and target, of which arrays are left out."""
    shown = [f"{name}={'…' if value in FURTHER else repr(value)}" for name, value in given.items()]
    return f"(…, {', '.join(shown)})" if shown else ""


def recipe_of(peer: str, call: Any) -> Recipe:
    preset = PRESETS[peer, call.name]
    return preset.recipe(**{**call.arguments, **preset.options(call.call)})


def terms_of(peer: str, call: Any) -> list[tuple[float, str, dict[str, Any]]]:
    recipe = recipe_of(peer, call)
    logits, target = INPUTS[call.inputs]
    labelled = recipe.target == "labels" or (
        recipe.target == "either" and len(target.shape) < len(logits.shape)
    )
    return recipe.equivalent(Sizes(logits.shape[1], PIXELS, labelled, logits.ndim))


def ours(peer: str, call: Any) -> str:
    """In our own words, what is a default left out."""
    preset, recipe = PRESETS[peer, call.name], recipe_of(peer, call)
    parts = []
    for weight, name, options in terms_of(peer, call):
        defaults = inspect.signature(getattr(seglosses_core, name)).parameters
        given = [f"{key}={_short(value)}" for key, value in options.items() if value != defaults[key].default]
        factor = "" if weight == 1 else f"{_short(weight)} * "
        parts.append(f"{factor}{name}({', '.join(given)})")
    brought = {preset.call[name]: value for name, value in call.call.items() if value in FURTHER}
    text = f"({' + '.join(parts)})" if brought and len(parts) > 1 else " + ".join(parts)
    text += _called(brought)
    if recipe.power != 1:
        text = f"({text}) ** {recipe.power}"
    if recipe.averages_classes and recipe.reduction == "none":
        text = f"mean over classes of {text}"
    sign = "-" if recipe.offset < 0 else "+"
    return f"{text} {sign} {abs(recipe.offset):.4g}" if recipe.offset else text


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


# -- conventions --------------------------------------------------------------------------------------------------


def _terms(peer: str, kinds: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """The first term of such losses of ours whose options are wanted, in the order in which they were asked for."""
    for call in asked(peer).calls():
        for _, name, options in terms_of(peer, call):
            known = inspect.signature(getattr(seglosses_core, name)).parameters
            whole = {key: parameter.default for key, parameter in known.items()} | options
            if re.fullmatch(kinds, name) and wanted(whole):
                return {**whole, "name": name}
    return None


def _plain(options: dict[str, Any]) -> bool:
    return options["class_weights"] is None and options["include_background"]


def _dice(peer: str) -> dict[str, Any] | None:
    return _terms(peer, "(Power)?DiceLoss", _plain) or _terms(peer, "TverskyLoss", _plain)


def _squares(peer: str) -> str:
    found = _dice(peer)
    return "–" if found is None else "Σ p² + Σ y²" if found["name"].startswith("Power") else "Σ p + Σ y"


def _over(peer: str) -> str:
    found = _dice(peer)
    if found is None:
        return "–"
    whole = "the batch" if found["aggregate"] == "batch" else "each image"
    return f"{whole}, each class" if found.get("per_class", True) else f"{whole}, all classes at once"


def _absent(peer: str) -> str:
    found = _dice(peer)
    if found is None:
        return "–"
    said = {"count": "counts", "skip": "is left out", "zero": "costs 0, and counts"}
    return said[found["absent"]] if found.get("per_class", True) else "–"


def _smooth(peer: str) -> str:
    found = _dice(peer)
    if found is None:
        return "–"
    smooth = found["smooth"]
    above, below = smooth if isinstance(smooth, tuple) else (smooth, smooth)
    return f"{above:g}" if above == below else f"{above:g} above, {below:g} below"


def _ignored(kind: str) -> Callable[[str], str]:
    def cell(peer: str) -> str:
        found = _terms(peer, kind, lambda options: options["ignore_index"] is not None)
        if found is None:
            return "–"
        return "stay in the mean, as 0" if found["divisor"] == "all" else "leave the mean"

    return cell


def _weights(kind: str) -> Callable[[str], str]:
    def cell(peer: str) -> str:
        found = _terms(peer, kind, lambda options: options["class_weights"] is not None)
        if found is None:
            return "–"
        divided = found["divisor"] == "weights" and found["reduction"] == "mean"
        return "are divided by" if divided else "multiply"

    return cell


COLUMNS: dict[str, Callable[[str], str]] = {
    "Dice's denominator": _squares,
    "a score is over": _over,
    "a class that the target lacks": _absent,
    "ε": _smooth,
    "class weights of Dice": _weights("(Power)?DiceLoss|TverskyLoss"),
    "class weights of cross-entropy": _weights("CrossEntropyLoss"),
    "ignored pixels of cross-entropy": _ignored("CrossEntropyLoss"),
    "ignored pixels of focal": _ignored("FocalLoss"),
}


def conventions() -> Iterator[str]:
    yield f"| | {' | '.join(COLUMNS)} |"
    yield f"| --- |{' --- |' * len(COLUMNS)}"
    smooth = seglosses_core.DiceLoss().smooth
    yield (
        f"| ours | Σ p + Σ y | each image, each class | counts | {smooth:g} | are divided by | are divided by"
        " | leave the mean | leave the mean |"
    )
    for peer in PEERS:
        yield f"| {LIBRARIES[peer].title} | {' | '.join(cell(peer) for cell in COLUMNS.values())} |"


# -- how many agree --------------------------------------------------------------------------------------------------


def agreement() -> Iterator[str]:
    yield "| | configurations | value and gradient agree | the gradient alone | comparisons |"
    yield "| --- | --- | --- | --- | --- |"
    total = [0, 0, 0, 0]
    recorded = {document["peer"]: document["vectors"] for document in documents()}
    for peer in PEERS:
        found: dict[str, bool] = {}
        for vector in recorded[peer]:
            made = json.dumps([vector["name"], vector["arguments"], vector.get("call")], sort_keys=True)
            found[made] = found.get(made, True) and not vector["gradient_alone"]
        row = [len(found), sum(found.values()), len(found) - sum(found.values()), len(recorded[peer])]
        total = [a + b for a, b in zip(total, row, strict=True)]
        yield f"| {LIBRARIES[peer].title} | {' | '.join(map(str, row))} |"
    yield f"| all | {' | '.join(map(str, total))} |"


def surveyed() -> Iterator[str]:
    sys.path.insert(0, str(HERE.parent / "tests" / "presets"))
    import survey

    found = list(survey.configurations())
    text = (
        "Before there were presets 303 configurations of these libraries were measured, which a table of theirs named"
        " in groups. Taken apart, with those that were named and not measured, they are"
        f" {len(found)}, which `tests/presets/survey.py` lists. Of {sum(one.agrees for one in found)} value and"
        " gradient agree, by what was recorded since. The others:"
    )
    yield textwrap.fill(text, 120) + "\n"
    for peer in PEERS:
        for one in found:
            if one.peer == peer and not one.agrees:
                yield f"- {LIBRARIES[peer].title}, `{one.text}`: {one.reason}."


# -- pages ----------------------------------------------------------------------------------------------------------


def index() -> str:
    listed = [
        f"- [{LIBRARIES[peer].title} {LIBRARIES[peer].version}]({peer}.md): {_names(peer)}" for peer in PEERS
    ]
    contents = "\n```{toctree}\n:hidden:\n\n" + "\n".join(PEERS) + "\n```\n"
    parts = [
        HEAD,
        "\n".join(listed),
        "\n",
        AGREEMENT,
        "\n".join(agreement()),
        SURVEYED,
        "\n".join(surveyed()),
        "\n",
        CONVENTIONS,
    ]
    return "".join([*parts, "\n".join(conventions()), "\n", contents])


def _names(peer: str) -> str:
    return ", ".join(f"`{name}`" for of, name in PRESETS if of == peer)


def page(peer: str) -> str:
    library = LIBRARIES[peer]
    calls = list(asked(peer).calls())
    first = calls[0]
    function = first.name[0].islower()
    module = asked(peer).MODULES[-1 if function else 1]
    rows = dict.fromkeys((theirs(call), ours(peer, call)) for call in calls)
    return PAGE.format(
        title=library.title,
        version=library.version,
        peer=peer,
        before=f"from {module} import {first.name}  # before",
        after=f"from seglosses_torch.presets.{peer} import {first.name}  # after",
        weights="; weights in it are of four classes",
        rows="\n".join(f"| `{left}` | `{right}` |" for left, right in rows),
        differs="\n".join(f"- {line}" for line in library.differs),
        one_class=MAY_LACK_IT if any(recipe_of(peer, call).one_class for call in calls) else NEEDS_IT,
        logits=library.call[0],
        target=library.call[1],
    )


def pages() -> dict[str, str]:
    """By file name."""
    return {"index.md": index(), **{f"{peer}.md": page(peer) for peer in PEERS}}


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        print(FOLDER / name)

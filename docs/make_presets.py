"""Writes `docs/presets.md`, the losses of other libraries by their names: `python docs/make_presets.py`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import seglosses_core
from seglosses_core.presets import PEERS
from seglosses_core.presets.recipe import LIBRARIES, PRESETS, Sizes

HERE = Path(__file__).parent
PAGE = HERE / "presets.md"
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

Value and gradient were recorded from each library, in the version below, for every row of the tables; the tests hold
PyTorch, JAX and NumPy against them. What is not supported raises an error that says what to do instead. A loss by its
own name takes more: weights of pixels, arrays that are learnt, sums.
"""


def calls(peer: str) -> list[Any]:
    """What was recorded."""
    sys.path.insert(0, str(HERE.parent / "tests" / "presets"))
    from preset_calls import asked

    return list(asked(peer).calls())


def theirs(call: Any) -> str:
    return f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"


def ours(peer: str, call: Any) -> str:
    """In our own words, what is a default left out."""
    recipe = PRESETS[peer, call.name].recipe(**call.arguments)
    one_class = call.inputs.startswith("binary")
    labelled = recipe.target == "labels" or (
        recipe.target == "either" and call.inputs not in ("soft", "one-hot")
    )
    parts = []
    sizes = Sizes(1 if one_class else 4, 12, labelled, axes=5 if call.inputs.startswith("volume") else 4)
    for weight, name, options in recipe.equivalent(sizes):
        defaults = inspect.signature(getattr(seglosses_core, name)).parameters
        given = [f"{key}={_short(value)}" for key, value in options.items() if value != defaults[key].default]
        factor = "" if weight == 1 else f"{_short(weight)} * "
        parts.append(f"{factor}{name}({', '.join(given)})")
    text = " + ".join(parts)
    if recipe.power != 1:
        text = f"({text}) ** {recipe.power}"
    if recipe.averages_classes and recipe.reduction == "none":
        text = f"mean over classes of {text}"
    if recipe.offset:
        text = f"{text} {'−' if recipe.offset < 0 else '+'} {_short(abs(recipe.offset))}"
    return text


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def page() -> str:
    parts = [HEAD]
    for peer in PEERS:
        library = LIBRARIES[peer]
        parts.append(f"## {library.title} {library.version}\n\n`seglosses_torch.presets.{peer}`\n")
        rows = dict.fromkeys((theirs(call), ours(peer, call)) for call in calls(peer))
        parts.append("| theirs | in our own words |\n| --- | --- |")
        parts += [f"| `{left}` | `{right}` |" for left, right in rows]
        parts.append("\nWhat differs:\n")
        parts += [f"- {line}" for line in library.differs]
        parts.append("")
    parts.append("Weights are of four classes, which is how many the tables are for.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)

"""Writes `differences.md`: where other libraries have the loss, how ours gives the same number, or why it does not.

CONTRIBUTING.md says what has to be installed. Every row of `differences/` declares that the two agree, or that they
differ; one that the numbers contradict is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import seglosses_torch
from differences import LIBRARIES
from differences.row import Row

AGREE, DIFFER = 1e-5, 1e-3
"""Rows that agree differ by no more, rows that differ by no less. Some of theirs compute in float32."""


def one_hot(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, 4).movedim(-1, 1)


def arrays() -> dict[str, Any]:
    """What the calls are made on. `logits` is a fresh leaf, for the gradient with respect to it."""
    draw = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, 4, 5, 6, generator=draw, dtype=torch.float64)
    labels = torch.randint(4, (3, 5, 6), generator=draw)
    labels[0][labels[0] == 3] = 0
    without_3 = labels.masked_fill(labels == 3, 1)
    shares = torch.tensor([0.1, 0.35, 0.6])[:, None, None]
    holes = labels.masked_fill(torch.rand(3, 5, 6, generator=draw) < shares, 255)
    return {
        "logits": logits.requires_grad_(),
        "labels": labels,
        "without_3": without_3,
        "holes": holes,
        "nothing": torch.full_like(labels, 255),
        "one_hot": one_hot(labels),
        "one_hot_without_3": one_hot(without_3),
        "soft": torch.randn(3, 4, 5, 6, generator=draw, dtype=torch.float64).softmax(1),
        "several": torch.randint(2, (3, 4, 5, 6), generator=draw),
        "mask": (labels == 1).long()[:, None],
        "mask_holes": (labels == 1).long().masked_fill(holes == 255, 255)[:, None],
        "background": torch.zeros_like(labels),
        "weights": torch.tensor([1, 2, 3, 0.5], dtype=torch.float64),
        "distances": ((0, 1, 1, 1), (1, 0, 0.5, 0.5), (1, 0.5, 0, 0.5), (1, 0.5, 0.5, 0)),
        "uneven": ((0, 0.5, 1, 1), (0.5, 0, 0.5, 0.5), (1, 0.5, 0, 0.5), (1, 0.5, 0.5, 0)),
    }


MODULES = {"torch": "torch.nn.functional", "optax": "optax.losses"}

PAGE = """# Where this library differs from others, and why

Losses that others have too, theirs and ours on the same arrays, in float64 where theirs can. Where both give the same
number, the second column says with which options; where not, the last one says why. The difference is the larger of
two: of the values, relative to ours, and of the gradients with respect to the logits, relative to the largest entry of
ours; it is infinite beside a 0 of ours, and where theirs is NaN or an error. The calls are made by
`docs/make_differences.py`, which stops if a row that is said to agree differs by more than {agree:.0e}, or one that is
said to differ does so by less than {differ:.0e}.

Run beside {versions}.
The losses of segmentation_models_pytorch and pytorch-toolbelt ran without the rest of their packages. What no table
names was not compared; most losses here have no counterpart there.

What comes up again and again:

- **What a mean divides by.** Class weights: here their sum is divided by everywhere, so that equal weights are none.
  Ignored pixels, and nothing left: here they are left out, and nothing costs 0. Absent classes: `absent` says so here.
- **What is summed before the ratio**: an image or the batch (`aggregate`), each class or all of them.
- **ε**, which others add to other multiples of the same sums.
- **α of the focal loss**, which for softmax is a number for all classes here, and none by `alpha=None`.

The arrays: `logits` of shape (3, 4, 5, 6) and `labels` of shape (3, 5, 6), without class 3 in the first image;
`without_3` are labels without it in any image, `background` labels of class 0 alone. In `holes` 10, 35 and 60 % of the
three images are 255, in `nothing` all pixels. `one_hot`, `one_hot_without_3` and `soft` are targets of the logits'
shape, `several` is one of overlapping classes; `mask` is one of a single class, (3, 1, 5, 6), and so is `mask_holes`,
with the 255 of `holes`. `weights` has a number for each class, `distances` and `uneven` have one for each pair. For
optax they are JAX's, with the classes last.
{tables}"""

TABLE = """
## {title}

| there | here | their value | our value | difference | |
|---|---|---|---|---|---|
{rows}
"""


def without_init(name: str) -> None:
    """Stands in for a package, whose submodules can be imported then without what its `__init__` loads."""
    root, *inner = name.split(".")
    spec = PathFinder.find_spec(root)
    assert spec is not None, f"{root} is not installed"
    module = ModuleType(name)
    module.__path__ = [str(Path(folder, *inner)) for folder in spec.submodule_search_locations or ()]
    sys.modules[name] = module


def losses_of(library: str) -> Mapping[str, Any]:
    if library in ("segmentation_models_pytorch", "pytorch_toolbelt"):
        without_init(library)
    if library == "pytorch_toolbelt":
        without_init("pytorch_toolbelt.utils")
        deprecated = import_module("pytorch_toolbelt.utils.support").pytorch_toolbelt_deprecated
        vars(sys.modules["pytorch_toolbelt.utils"])["pytorch_toolbelt_deprecated"] = deprecated
    names = dict(vars(import_module(MODULES.get(library, f"{library}.losses"))))
    if library == "pytorch_toolbelt":
        names |= vars(import_module("pytorch_toolbelt.losses.quality_focal_loss"))
    return names


def run(call: str, names: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The value of a call of the page, and its gradient with respect to the logits."""
    given = arrays()
    value = eval(call, {**names, "torch": torch, **given})
    (gradient,) = torch.autograd.grad(value, given["logits"])
    return value.detach(), gradient


def run_in_jax(call: str, names: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The same where the arrays are JAX's, and those of the logits' shape have the classes last."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    given = {
        name: jnp.asarray(array.detach() if torch.is_tensor(array) else array)
        for name, array in arrays().items()
    }

    def value(logits: jax.Array) -> jax.Array:
        maps = {
            name: jnp.moveaxis(a, 1, -1) for name, a in {**given, "logits": logits}.items() if a.ndim == 4
        }
        return eval(call, {**names, **given, **maps})

    made, gradient = jax.device_get(jax.value_and_grad(value)(given["logits"]))
    return torch.tensor(made), torch.tensor(gradient)


def relative(theirs: torch.Tensor, ours: torch.Tensor) -> float:
    """The largest difference by the largest entry of ours; infinite if theirs is NaN, or ours is 0 and theirs not."""
    if theirs.equal(ours):
        return 0.0
    return float(((theirs - ours).abs().max() / ours.abs().max()).nan_to_num(torch.inf, torch.inf))


def measured(row: Row, losses: Mapping[str, Any], run_theirs: Callable[..., Any] = run) -> str:
    ours = run(row.ours, vars(seglosses_torch))
    try:
        theirs = run_theirs(row.theirs, losses)
    except row.raises as error:
        value, off = f"`{type(error).__name__}`", torch.inf
    else:
        value, off = f"{theirs[0]:.6g}", max(map(relative, theirs, ours))
    if not (off <= AGREE if row.agrees else off >= DIFFER):
        said = "agree" if row.agrees else "differ"
        raise SystemExit(f"{row.theirs} and {row.ours} are said to {said}, and differ by {off:.1e}.")
    cells = (f"`{row.theirs}`", f"`{row.ours}`", value, f"{ours[0]:.6g}", f"{off:.2g}", row.note)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    tables = []
    for library, (title, rows) in LIBRARIES.items():
        losses, running = losses_of(library), run_in_jax if library == "optax" else run
        tables.append(
            TABLE.format(title=title, rows="\n".join(measured(row, losses, running) for row in rows))
        )
    versions = ", ".join(f"{title} {version(library)}" for library, (title, _) in LIBRARIES.items())
    page = PAGE.format(agree=AGREE, differ=DIFFER, versions=versions, tables="".join(tables))
    Path(__file__).with_name("differences.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

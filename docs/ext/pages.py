"""The pages that are written when the site is built: of each loss, pooling and function, of each script in
`examples/`, and those that list them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

from ext import pictures
from ext.catalogue import FAMILIES, SHARED, Documented, by_family, family_of
from ext.docstrings import in_markdown, sections
from seglosses_conformance.losses import ENTRIES
from seglosses_core import LOSSES

DOCS = Path(__file__).parents[1]
EXAMPLES = DOCS.parent / "examples"

UNPICTURED = {
    "CenterLoss": "No picture: what it adds to cross-entropy depends on features, which p does not tell.",
    "DeepSupervisionLoss": "",
    "class_weights_from_counts": "",
    "cornernet_radius": "",
}
"""What pictures cannot show, and why where that is not clear."""


def summary(one: Documented) -> str:
    """The first paragraph of the docstring, and the formulas that are set apart behind it, in one line of Markdown."""
    first, *others = sections(inspect.getdoc(one) or "")[""].strip("\n").split("\n\n")
    apart = takewhile(lambda paragraph: paragraph.startswith("    "), others)
    lines = [line.strip() for paragraph in apart for line in paragraph.splitlines()]
    formulas = [re.sub("^(.*?)( {2,}|$)", r"`\1` ", line).strip() for line in lines] if one in LOSSES else []
    return in_markdown(" ".join([*first.split(), *([", ".join(formulas)] if formulas else [])]))


# -- what others have -------------------------------------------------------------------------------------------------


@cache
def rows(page: Path) -> tuple[tuple[str, list[str]], ...]:
    """The rows of the tables of a page, each with the heading above it."""
    found, heading = [], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            found.append((heading, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]))
    return tuple(found)


def elsewhere(name: str) -> Iterator[str]:
    """What other libraries call it, and where they give another number, from the pages that compare."""
    ours = re.compile(rf"\b{name}\(")
    presets = []
    for page in sorted((DOCS / "presets").glob("*.md")):
        calls = [cells for _, cells in rows(page) if len(cells) == 2 and ours.search(cells[1])]
        if page.stem != "index" and calls:
            title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# From ")
            presets.append(f"[{title}](../presets/{page.stem}.md): {_names(calls)}")
    compared = [(heading, cells) for heading, cells in rows(DOCS / "differences.md") if ours.search(cells[1])]
    if not presets and not compared:
        return
    yield "## In other libraries"
    if presets:
        yield "As presets, by their names and with their numbers:"
        yield "\n".join(f"- {line}" for line in presets)
    apart = [(heading, cells) for heading, cells in compared if cells[5]]
    if apart:
        yield "From [the comparison](../differences.md), with the numbers there, where it takes a word to say:"
        yield "\n".join(
            f"- **{heading}** {cells[0]}, here {cells[1]}. {cells[5]}" for heading, cells in apart
        )
    same = [(heading, cells) for heading, cells in compared if not cells[5]]
    if same:
        libraries = ", ".join(dict.fromkeys(heading for heading, _ in same))
        yield f"The same number, measured: {libraries} ([how they are called](../differences.md))."


def _names(calls: list[list[str]]) -> str:
    found = dict.fromkeys(cells[0].strip("`").partition("(")[0] for cells in calls)
    return ", ".join(f"`{name}`" for name in found)


# -- pages ------------------------------------------------------------------------------------------------------------


def page(one: Documented, folder: Path) -> str:
    """Its text; the pictures that it shows are drawn beside it."""
    name = one.__name__
    directive = "autoclass" if isinstance(one, type) else "autofunction"
    parts = [f"# {name}", f"```{{eval-rst}}\n.. {directive}:: seglosses_core.{name}\n```"]
    if name in ENTRIES:
        parts.append(f"*From*: {ENTRIES[name].source}.")
    parts += [
        f"`from seglosses_torch import {name}`, or from `seglosses_jax` or `seglosses_keras`: the same with the class"
        " axis of the framework. [How it is called](shared.md), [what counts and what is left out](../conventions.md)."
    ]
    parts += illustrated(one, folder)
    parts += elsewhere(name)
    return "\n\n".join(parts) + "\n"


def illustrated(one: Documented, folder: Path) -> Iterator[str]:
    name, family = one.__name__, family_of(one)
    if name in UNPICTURED:
        yield UNPICTURED[name]
    elif family == "target":
        pictures.draw_map(name, folder / f"{name}-map.svg")
        yield f"## What it makes\n\n![{name} of labels]({name}-map.svg)"
    elif family == "pooling":
        pictures.draw_pooling(one, folder / f"{name}-weights.svg")  # type: ignore[arg-type]
        yield f"## What a pixel counts for\n\n![{name}: what pixels count for, by their costs]({name}-weights.svg)"
        yield (
            "Of 99 pixels with probabilities from 0.01 to 0.99, by their cross-entropy; the mean counts each once."
            + (" Here `min_kept=10`." if name == "HardExampleMining" else "")
        )
    else:
        single = pictures.draw_curves(one, folder / f"{name}-curves.svg")
        pictures.draw_push(one, folder / f"{name}-push.svg")
        yield f"## Value and gradient\n\n![{name} and cross-entropy against p]({name}-curves.svg)"
        yield ONE_PIXEL if single else ALL_PIXELS
        yield f"![Where {name} and cross-entropy push]({name}-push.svg)"
        yield PUSH


ONE_PIXEL = "One pixel of class 1, with probability p and logit z = log(p / (1 − p)); dashed, cross-entropy."
ALL_PIXELS = (
    "An image with two discs, every pixel of which has probability p for its own class, and z = log(p / (1 − p))"
    " towards it; dashed, cross-entropy."
)
PUSH = (
    "A prediction that is shifted, misses half of a small object and sees one that is not there. Right, the negative"
    " gradient of the logits, each relative to its largest: red is pushed up, blue down."
)


def index(families: dict[str, list[Documented]]) -> str:
    parts = [
        "# Losses",
        f"{len(LOSSES)} losses, and what goes with them. [Which one should I use?](../which.md)",
    ]
    for family, members in families.items():
        names = ", ".join(f"[{one.__name__}]({one.__name__}.md)" for one in members)
        parts += [f"**[{FAMILIES[family].title}]({family}.md).** {FAMILIES[family].about}", names]
    return "\n\n".join([*parts, toctree(["shared", *families])]) + "\n"


def listing(family: str, members: list[Documented]) -> str:
    parts = [f"# {FAMILIES[family].title}", FAMILIES[family].about]
    if family != "target":
        parts.append(SYMBOLS)
    parts += [f"[`{one.__name__}`]({one.__name__}.md)\n: {summary(one)}" for one in members]
    return "\n\n".join([*parts, toctree([one.__name__ for one in members])]) + "\n"


SYMBOLS = (
    "y is the target, p the prediction after the activation (ŷ where p is a power), Σ runs over the pixels of an image,"
    " ε is `smooth`."
)


def toctree(names: list[str]) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```"


def shared() -> str:
    parts = [
        "# What losses share",
        "How a loss is called, and the parameters that families have in common. The page of each loss lists all of"
        " its own.",
    ]
    for kind in SHARED:
        members = "\n   :members: __call__, value_and_grad" if kind is SHARED[0] else ""
        parts.append(
            f"## {kind.__name__}\n\n```{{eval-rst}}\n.. autoclass:: {kind.__module__}.{kind.__name__}{members}\n```"
        )
    return "\n\n".join(parts) + "\n"


# -- examples ---------------------------------------------------------------------------------------------------------


def examples() -> dict[str, tuple[str, str]]:
    """Of each script, by its name, what it does and its page, all from its docstring; what others import is none."""
    found = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first, _, rest = text.partition("\n")
        about, _, command = first.partition(": ")
        if command.startswith("python ") or command.startswith("make "):
            parts = [
                f"# {path.name}", f"{in_markdown(about)}.", f"```sh\n{command}\n```", in_markdown(rest.strip()),
                f"```{{literalinclude}} ../../examples/{path.name}\n:language: python\n```",
            ]  # fmt: skip
            found[path.stem] = (about, "\n\n".join(part for part in parts if part) + "\n")
    return found


def example_index(found: dict[str, tuple[str, str]]) -> str:
    rows = "\n".join(
        f"| [{name}.py]({name}.md) | {in_markdown(about)} |" for name, (about, _) in found.items()
    )
    return (
        "# Examples\n\nScripts of the folder `examples/`, as they are. Those of other people's tools say which releases"
        f" they ran with.\n\n|  |  |\n|---|---|\n{rows}\n\n{toctree(list(found))}\n"
    )


def write(docs: Path = DOCS) -> None:
    families = by_family()
    losses = {"index": index(families), "shared": shared()}
    losses |= {family: listing(family, members) for family, members in families.items()}
    (docs / "losses").mkdir(exist_ok=True)
    losses |= {one.__name__: page(one, docs / "losses") for members in families.values() for one in members}
    scripts = examples()
    texts = {
        "losses": losses,
        "examples": {"index": example_index(scripts)} | {name: text for name, (_, text) in scripts.items()},
    }
    for folder, pages in texts.items():
        (docs / folder).mkdir(exist_ok=True)
        for name, text in pages.items():
            path = docs / folder / f"{name}.md"
            if not path.exists() or path.read_text(encoding="utf-8") != text:  # or Sphinx reads it again
                path.write_text(text, encoding="utf-8")

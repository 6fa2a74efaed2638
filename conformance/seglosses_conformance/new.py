"""Skeletons of a new loss: `python -m seglosses_conformance.new FocalTverskyLoss --like TverskyLoss`

writes two files, the class for the core and the entry for the suite, both in the shape of the other loss. The class
computes what that loss computes until its formula is changed; the formula of the oracle is left to be written. Of a
class that the core has already there is the entry alone.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType

import seglosses_core
from seglosses_conformance import losses
from seglosses_conformance.entries import Entry, words
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.oracle.family import Ratios

CORE = "seglosses_core/losses"
"""Where in a checkout the class is written to."""
SUITE = "conformance/seglosses_conformance/losses"
"""Where the entry is written to."""

CLASS_FILE = '''\
"""Say in one line what {name} is a function of."""

from __future__ import annotations

{imports}


@dataclass(frozen=True, kw_only=True)
class {name}({bases}):
    """`L = …`, the formula, in the symbols of the other losses.

    Then the paper and the equation, what is ours where the paper leaves something open, and what departs from it.

    What follows is the code of {like}.
    Change it into the formula, and keep only the hyper-parameters that this loss has.

    Parameters
    ----------
    name : type
        For each hyper-parameter, what it does and which values it takes.
{examples}    """

{body}'''

ENTRY_FILE = '''\
"""Say in one line what {name} measures."""

from __future__ import annotations

{imports}

SOURCE = "Authors, title, year, equation"


{formula}


ENTRY = Entry(
    loss="{name}",
    source=SOURCE,
    oracle={oracle},
    cases=[
        # First an example that is worked by hand from the paper. NaN stands for what the calculation comes to.
        {worked}
        # Then what is asked of {like} too.
        {scenes}
        # Last what the hyper-parameters of this loss do: case("gamma-2", "γ = 2.", gamma=2.0).
    ],
    # What follows is from {like}.
    # Samples are what every general test runs the loss with, the plainest first.
    # Faults are what the cases have to find.
    {facts},
)
'''

REGION = (
    'worked("Say how one comes from Σ ŷ = 9/4, Σ y = 2 and the like to the value.", nan),',
    "from ..definitions.region import worked",
)
PIXELS = (
    """case(
            "worked-example",
            "Two pixels, the right class at 1/2 and 1/4: say how one comes to the value.",
            flags="worked identity",
            activation="identity",
            logits=TWO_PIXELS,
            target=TWO_LABELS,
            value_by_hand=nan,
        ),""",
    "from ..definitions import case",
    "from ..definitions.arrays import TWO_LABELS, TWO_PIXELS",
)
"""The worked example, and what it imports."""
SCENES = {"standard", "family", "edges"}
"""The functions whose cases a new loss shares with the other."""

NEXT = """
The files say in words what to fill in. Then
  - name {name} in seglosses_core/__init__.py: the import and LOSSES
  - write the signatures for editors: python scripts/make_stubs.py
  - write the expected results: python -m seglosses_conformance.generate {name}
  - see what is missing: pytest tests/conformance/test_entries.py tests/conformance/test_oracle.py
  - a line in CHANGELOG.md; its page in the documentation is made from the class
  - compare: python -m seglosses_conformance --quick --losses {name}"""


def class_skeleton(name: str, like: str) -> str:
    """The class of another loss under a new name, its docstring to be written."""
    kind = getattr(seglosses_core, like)
    tree, _ = class_and_code(kind)
    # A class may be nothing but a docstring and have its formula from one beside it, which others share.
    beside = [base for base in kind.__mro__ if base.__module__ == kind.__module__]
    body, code = next(((body, code) for body, code in map(body_of, beside) if body), ([], ""))
    _, title, examples = inspect.cleandoc(kind.__doc__ or "").partition("Examples\n")
    return CLASS_FILE.format(
        name=name,
        like=like,
        imports="\n".join(imports(sys.modules[kind.__module__], [*tree.decorator_list, *tree.bases, *body])),
        bases=", ".join(map(ast.unparse, tree.bases)),
        examples=indent(f"\n{title}{examples}\n" if title else "", " " * 4).replace(like, name),
        body=code.replace(like, name),
    )


def class_and_code(kind: type) -> tuple[ast.ClassDef, list[str]]:
    """A class as a tree and as lines."""
    source = inspect.getsource(kind)
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.ClassDef)
    return tree, source.splitlines(keepends=True)


def body_of(kind: type) -> tuple[list[ast.stmt], str]:
    """What a class has below its docstring, as trees and as it is written."""
    tree, lines = class_and_code(kind)
    body = tree.body[1 if ast.get_docstring(tree) else 0 :]
    if not body:
        return [], ""
    start = min(node.lineno for node in (body[0], *getattr(body[0], "decorator_list", ())))
    return body, "".join(lines[start - 1 :])


def entry_skeleton(name: str, like: str) -> str:
    """An entry of the same kind of oracle as another, with its samples and faults, and the scenes of its family."""
    entry = ENTRIES[like]
    formula = getattr(entry.oracle, "score", getattr(entry.oracle, "cost", entry.oracle))
    (definition,) = ast.parse(dedent(inspect.getsource(formula))).body
    assert isinstance(definition, ast.FunctionDef)
    definition.name = "_".join(words(name))
    definition.body = ast.parse(
        '"""The formula as the paper has it, in its symbols."""\n'
        'raise NotImplementedError("Write the formula from the paper. It shares no code with the class.")'
    ).body
    module = file_of(entry)
    facts = {
        keyword.arg: keyword.value
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call) and any(ast.unparse(k) == f"loss='{like}'" for k in call.keywords)
        for keyword in call.keywords
        if keyword.arg not in ("loss", "source", "prefix", "overrides", "known", "refuses")
    }
    oracle = with_formula(facts.pop("oracle"), definition.name)
    scenes = list(shared_cases(facts.pop("cases")))
    worked, *needed = REGION if isinstance(entry.oracle, Ratios) else PIXELS
    found = {
        "from math import nan",
        "from ..entries import Entry",
        *needed,
        *imports(sys.modules[formula.__module__], [definition]),
        *imports(module, [oracle, *scenes, *facts.values()], without=definition.name),
    }
    return ENTRY_FILE.format(
        name=name,
        like=like,
        imports="\n".join(sorted(found)),
        formula=ast.unparse(definition),
        oracle=ast.unparse(oracle),
        worked=worked,
        scenes="\n        ".join(f"{ast.unparse(scene)}," for scene in scenes),
        facts=",\n    ".join(f"{fact}={ast.unparse(value)}" for fact, value in facts.items()),
    )


def with_formula(oracle: ast.expr, name: str) -> ast.expr:
    """The oracle with another formula, which is what it is made of first, or the oracle itself."""
    formula = ast.Name(name)
    if not isinstance(oracle, ast.Call):
        return formula
    return ast.Call(oracle.func, [formula, *oracle.args[1:]], oracle.keywords)


def shared_cases(cases: ast.AST) -> Iterator[ast.AST]:
    """The parts of a list of cases that call one of SCENES, as a loss without relatives calls it."""
    for part in ast.iter_child_nodes(cases):
        calls = [n for n in ast.walk(part) if isinstance(n, ast.Call) and ast.unparse(n.func) in SCENES]
        for call in calls:
            call.keywords = [keyword for keyword in call.keywords if keyword.arg != "shared"]
        if calls:
            yield part


def file_of(entry: Entry) -> ModuleType:
    """The module that an entry stands in."""
    files = [module for name, module in sys.modules.items() if name.startswith(f"{losses.__name__}.")]
    return next(f for f in files if any(one is entry for one in losses.entries_of(f)))


def imports(module: ModuleType, trees: Iterable[ast.AST], without: str = "") -> Iterator[str]:
    """The imports of what is used in the trees, which are parts of a module: from where it has it, or from itself."""
    used = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)} - {without}
    imported = set()
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                imported.add(alias.asname or alias.name)
                if (alias.asname or alias.name) in used:
                    statement.names = [alias]
                    yield ast.unparse(statement)
    home = f".{module.__name__.rpartition('.')[2]}" if "conformance" in module.__name__ else module.__name__
    for name in sorted(used & set(vars(module)) - imported):
        yield f"from {home} import {name}"


def lay_out(files: Iterable[Path]) -> None:
    """Sort the imports and break the lines, where ruff is installed."""
    for command in (["check", "--fix", "--select", "I"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *map(str, files)], capture_output=True)


def main(arguments: Sequence[str] | None = None) -> None:
    title, explanation = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="python -m seglosses_conformance.new", description=f"{title} {explanation}"
    )
    parser.add_argument("name", metavar="NAME", help="the new loss, as FocalTverskyLoss")
    parser.add_argument("--like", required=True, metavar="LOSS", choices=ENTRIES, help="a loss of its shape")
    parser.add_argument(
        "--folder", type=Path, default=Path(__file__).parents[2], help="the checkout (the one of this file)"
    )
    options = parser.parse_args(arguments)
    name, like = options.name, options.like
    if not re.fullmatch("([A-Z][a-z]*)+Loss", name):
        parser.error(f"a name is words with capitals and ends in Loss, as FocalTverskyLoss, not so {name}")
    if name in ENTRIES:
        parser.error(f"there is a {name} already")
    if not (options.folder / "conformance").is_dir():
        parser.error(f"{options.folder} is no checkout of seglosses; name one with --folder")
    file = "_".join(words(name)) + ".py"
    texts = {options.folder / SUITE / file: entry_skeleton(name, like)}
    if not hasattr(seglosses_core, name):
        texts = {options.folder / CORE / file: class_skeleton(name, like), **texts}
    for path in texts:
        if path.exists():
            parser.error(f"there is a file {path} already")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    lay_out(texts)
    print(NEXT.format(name=name))


if __name__ == "__main__":
    main()

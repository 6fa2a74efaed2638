"""From the docstrings to what autodoc is given: parameters of the base classes beside the class's own, formulas
typeset.

The rest is napoleon's, which reads the sections.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ext.catalogue import OFFERED, SHARED
from ext.formulas import is_formula, latex
from seglosses_core.single import SingleLoss

HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
SPAN = re.compile(r"`([^`]*)`")


@dataclass
class Parameter:
    names: str
    kind: str
    about: list[str]


# -- one text in two languages ----------------------------------------------------------------------------------------


def in_markdown(text: str) -> str:
    """Formulas as mathematics, names of what has a page as links to it."""

    def span(found: re.Match[str]) -> str:
        inner = " ".join(found[1].split())
        if inner in PAGES:
            return f"[`{inner}`]({inner}.md)"
        return f"{{math}}`{latex(inner)}`" if is_formula(inner) else f"`{inner}`"

    return SPAN.sub(span, text)


def in_rst(text: str) -> str:
    """The same for autodoc, whose language is reStructuredText; what that takes for markup is escaped."""
    parts, end = [], 0
    for found in SPAN.finditer(text):
        parts.append(_escaped(text[end : found.start()]))
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        apart = "" if not before or before in " \n([{-–—\"'" else "\\ "
        parts.append(apart + _role(" ".join(found[1].split())) + ("\\ " if after.isalnum() else ""))
        end = found.end()
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    text = re.sub(r"([*|\\])", r"\\\1", text)
    text = re.sub(r"(\w)_(?!\w)", r"\1\\_", text)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", text)


def _role(inner: str) -> str:
    if inner in KNOWN:
        role, target = KNOWN[inner]
        return f":py:{role}:`{inner} <{target}>`"
    return f":math:`{latex(inner)}`" if is_formula(inner) else f"``{inner}``"


def _public(one: Any) -> tuple[str, str]:
    return ("class" if isinstance(one, type) else "func"), f"seglosses_core.{one.__name__}"


PAGES = {one.__name__ for one in OFFERED}
KNOWN = {one.__name__: _public(one) for one in OFFERED}
KNOWN |= {kind.__name__: ("class", f"{kind.__module__}.{kind.__name__}") for kind in SHARED}
KNOWN["Loss.__call__"] = ("meth", "seglosses_core.loss.Loss.__call__")


# -- paragraphs -------------------------------------------------------------------------------------------------------


def paragraphs(text: str) -> Iterator[list[str]]:
    """The lines of each, ready for autodoc."""
    for number, paragraph in enumerate(text.strip("\n").split("\n\n")):
        lines = paragraph.split("\n")
        if all(line.startswith("    ") for line in lines):
            yield table([re.split(" {2,}", line.strip()) for line in lines])
        elif number == 0:
            yield from set_apart(paragraph)
        else:
            yield in_rst(paragraph).split("\n")


def set_apart(paragraph: str) -> Iterator[list[str]]:
    """The formulas of the first paragraph on lines of their own, the words between them as they are."""
    rest = paragraph
    for found in SPAN.finditer(paragraph):
        inner = " ".join(found[1].split())
        if not (is_formula(inner) and (re.match("[Lℓ] =", inner) or ("=" in inner and len(inner) > 24))):
            continue
        before, _, rest = rest.partition(found[0])
        if before.strip():
            yield in_rst(before.strip()).split("\n")
        sign = re.match(r"[,;.:]?", rest)
        assert sign is not None
        rest = rest[sign.end() :].lstrip()
        yield [".. math::", "", f"   {latex(inner, display=True)}{sign[0].replace(':', '')}"]
    if rest.strip():
        yield in_rst(rest.strip()).split("\n")


def table(rows: list[list[str]]) -> list[str]:
    """Formulas below each other, with remarks behind them."""
    width = max(map(len, rows))
    lines = [".. list-table::", "   :class: formulas", ""]
    for row in rows:
        for place, text in enumerate([*row, *[""] * (width - len(row))]):
            bare = text.rstrip(",")
            cell = f":math:`{latex(bare, display=True)}`" if is_formula(bare) else in_rst(text)
            lines.append(f"   {'*' if place == 0 else ' '} - {cell}")
    return lines


# -- sections ---------------------------------------------------------------------------------------------------------


def sections(text: str) -> dict[str, str]:
    """By their headings; what stands before them has none."""
    parts = HEADING.split(text)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def own_parameters(text: str) -> list[Parameter]:
    """Those of the section of that name, in a docstring of one class or function."""
    found: list[Parameter] = []
    for line in sections(text).get("Parameters", "").strip("\n").split("\n"):
        if line.startswith("    ") and found:
            found[-1].about.append(line.strip())
        elif line.strip():
            names, _, kind = line.partition(" : ")
            found.append(Parameter(names, kind, []))
    return found


def parameters(one: Any) -> tuple[list[Parameter], list[Parameter]]:
    """All that it takes, in the words of the class nearest to it; apart those that all losses but ensembles take."""
    if not isinstance(one, type):
        return own_parameters(inspect.getdoc(one) or ""), []
    taken = set(inspect.signature(one).parameters)
    own: list[Parameter] = []
    shared: list[Parameter] = []
    for kind in one.__mro__:
        for parameter in own_parameters(inspect.cleandoc(kind.__doc__ or "")):
            names = set(parameter.names.split(", "))
            if names <= taken:
                taken -= names
                (shared if kind is SingleLoss and one is not SingleLoss else own).append(parameter)
    return own, shared


def undocumented(one: Any) -> set[str]:
    """The parameters of which no docstring says anything; `package` is no user's."""
    own, shared = parameters(one)
    said = {name.lstrip("*") for parameter in (*own, *shared) for name in parameter.names.split(", ")}
    return set(inspect.signature(one).parameters) - said


def rendered(one: Any) -> list[str]:
    """The docstring of a class or function as numpydoc sections in reStructuredText, parameters from bases among them
    where it has a page."""
    text = inspect.getdoc(one) or ""
    parts = sections(text)
    lines: list[str] = []
    for paragraph in paragraphs(parts.pop("")):
        lines += [*paragraph, ""]
    if one in (*OFFERED, *SHARED):
        parts.pop("Parameters", None)
        defaults = inspect.signature(one).parameters
        for heading, listed in zip(("Parameters", "Other Parameters"), parameters(one), strict=True):
            entries = [line for parameter in listed for line in _entry(parameter, defaults)]
            lines += [heading, "-" * len(heading), *entries, ""] if entries else []
    for heading, body in parts.items():
        body = body.strip("\n") if heading.startswith("Example") else in_rst(body.strip("\n"))
        lines += [heading, "-" * len(heading), *body.split("\n"), ""]
    return lines


def _entry(parameter: Parameter, defaults: Any) -> Iterator[str]:
    kind = re.sub(r'("[^"]*")', r"``\1``", in_rst(parameter.kind))
    default = defaults[parameter.names.split(", ")[0].lstrip("*")].default
    if default not in (inspect.Parameter.empty, None):
        kind += f", default ``{default() if isinstance(default, type) else default!r}``".replace("'", '"')
    yield f"{parameter.names} : {kind}" if kind else parameter.names
    yield from (f"    {line}" for line in in_rst("\n".join(parameter.about)).split("\n") if line)


# -- for autodoc ------------------------------------------------------------------------------------------------------


def process_docstring(app: Any, what: str, name: str, one: Any, options: Any, lines: list[str]) -> None:
    if what in ("class", "method", "function"):
        lines[:] = rendered(one)


def process_signature(
    app: Any, what: str, name: str, one: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """That of a class is its dataclass's; types stand beside the parameters."""
    if what not in ("class", "function", "method") or not callable(one):
        return None
    found = inspect.signature(one)
    kept = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
        if parameter.name not in ("self", "package")
    ]
    return str(found.replace(parameters=kept, return_annotation=inspect.Signature.empty)), None

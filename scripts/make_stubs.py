"""Writes the stubs of what is made at import, unseen by editors otherwise: `__init__.pyi` of the adapters, whose
classes are made from the core's list, and in `presets` of every package a file for each library.

    python scripts/make_stubs.py

A new loss needs no line here, nor does a preset: constructors say what they take (`seglosses_core.signatures`), and
what a call of an adapter words differently stands in its `Framework`. Needs ruff, for the layout.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS, CenterLoss, EnsembleLoss, Loss
from seglosses_core.presets import PEERS
from seglosses_core.presets.recipe import LIBRARIES, PRESETS, Preset
from seglosses_core.signatures import Parameters, keyword

ROOT = Path(__file__).parent.parent
OFFERED = (*LOSSES, *POOLINGS, *FUNCTIONS)

HEAD = '"""Made by scripts/make_stubs.py; not to be edited."""\n'


@dataclass(frozen=True)
class Framework:
    """How one adapter's classes differ from the core's."""

    package: str
    imports: str
    base: str
    array: str
    class_axis: int
    exports: tuple[str, ...] = ()
    """What the adapter has beside losses, poolings and functions."""
    calls: tuple[str, ...] = ()
    """The methods of the core that are shown with the framework's arrays."""

    def own(self, one: Any) -> Any:
        """What the adapter has of a class or a function of the core."""
        return getattr(importlib.import_module(self.package), one.__name__)

    def bases(self, core_class: type) -> str:
        return self.base

    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        """What stands in the class after the constructor."""
        for name in [name for name in self.calls if hasattr(core_class, name)]:
            signature = inspect.signature(getattr(core_class, name))
            parameters = with_inputs(list(signature.parameters.values())[1:], core_class)
            returned = str(signature.return_annotation)
            if isinstance(core_class.inputs, property) or "features" not in core_class.inputs:
                returned = returned.replace("Any", "Array")
            yield self.function(name, ["self"], parameters, returned)

    # -- text -----------------------------------------------------------------------------------------------------

    def presets(self, peer: str) -> str:
        offered = [preset for preset in PRESETS.values() if preset.peer == peer]
        parts = [
            HEAD,
            f"{self.imports}\nfrom {self.package}.presets import PresetLoss\n",
            f"__all__ = {[preset.name for preset in offered]!r}\n",
            *(self.preset(preset) for preset in offered),
        ]
        return "\n".join(parts)

    def preset(self, preset: Preset) -> str:
        """A function that makes a loss, or that is one."""
        annotations = {name: one.annotation for name, one in preset.parameters.items()}
        annotations |= dict.fromkeys(preset.arrays, "Array")
        annotations |= dict.fromkeys([preset.divisor, preset.mask], "Any")
        parameters = [
            one.replace(annotation=annotations[one.name]) for one in preset.signature.parameters.values()
        ]
        parameters.append(keyword("class_axis", "int", self.class_axis))
        returned = "Array" if preset.arrays else "PresetLoss"
        summary = f"{preset.name} of {LIBRARIES[preset.peer].title}."
        if not preset.arrays:
            summary += f"\n\nIt is called with {', '.join(preset.call)}.\n"
        text = self.function(preset.name, [], parameters, returned)
        return text.removesuffix("...") + "\n" + indented(f'"""{summary}"""')

    def stub(self) -> str:
        listed = sorted([*self.exports, *(one.__name__ for one in OFFERED)])
        as_they_are = [f for f in FUNCTIONS if self.own(f) is f]
        imported = ["Loss", "Pooling", *(one.__name__ for one in (*POOLINGS, *as_they_are))]
        parts = [
            HEAD,
            f"from seglosses_core import {', '.join(imported)}\n{self.imports}",
            f"__all__ = {listed!r}\n",
            *(self.loss(core_class) for core_class in LOSSES),
            *(self.changed(function) for function in FUNCTIONS if function not in as_they_are),
        ]
        return "\n".join(parts)

    def loss(self, core_class: type) -> str:
        summary = inspect.cleandoc(core_class.__doc__ or "").partition("\n\n")[0]
        parameters = list(inspect.signature(self.own(core_class)).parameters.values())
        body = [f'"""{summary}"""', self.function("__init__", ["self"], parameters, "None")]
        return f"class {core_class.__name__}({self.bases(core_class)}):\n" + indented(
            *body, *self.methods(core_class)
        )

    def changed(self, function: Callable[..., Any]) -> str:
        """One that has defaults of this package. The package itself is given already, and makes losses of its own."""
        signature = inspect.signature(self.own(function))
        parameters = [p for p in signature.parameters.values() if p.name != "package"]
        makes_losses = len(parameters) < len(signature.parameters)
        returned = "EnsembleLoss" if makes_losses else str(signature.return_annotation)
        summary = inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0]
        text = self.function(function.__name__, [], parameters, returned)
        return text.removesuffix("...") + "\n" + indented(f'"""{summary}"""')

    def function(self, name: str, first: list[str], parameters: Parameters, returned: str) -> str:
        words, starred = list(first), False
        for parameter in parameters:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
                words.append("*")
                starred = True
            starred_name = "**" if parameter.kind is inspect.Parameter.VAR_KEYWORD else ""
            words.append(starred_name + self.parameter(parameter))
        return f"def {name}({', '.join(words)}) -> {self.type(returned)}: ..."

    def parameter(self, parameter: inspect.Parameter) -> str:
        text = f"{parameter.name}: {self.type(parameter.annotation)}"
        if parameter.default is inspect.Parameter.empty:
            return text
        plain = isinstance(parameter.default, (str, bool, int, float, tuple, type(None)))
        return f"{text} = {parameter.default!r}" if plain else f"{text} = ..."

    def type(self, annotation: Any) -> str:
        """One as it is written in the core, or one that has been resolved."""
        if not isinstance(annotation, str):
            return spelled(annotation)
        return re.sub(r"\bArray\b", self.array, annotation)


def spelled(annotation: Any) -> str:
    """A type, each class in it by its name alone."""
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is ...:
        return "..."
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, inner))}]"
    if origin in (Union, UnionType):
        return " | ".join(map(spelled, inner))
    name = "Any" if annotation is Any else (origin or annotation).__name__.rpartition(".")[2]
    return f"{name}[{', '.join(map(spelled, inner))}]" if inner else name


def with_inputs(parameters: Parameters, core_class: type[Loss]) -> Parameters:
    """What a loss declares that it takes, by name, in the place of `**inputs`."""
    declared = core_class.inputs
    if isinstance(declared, property):
        return parameters  # an ensemble takes what its members take
    own = [
        keyword(
            name,
            "Array" if one.otherwise is None else "Array | None",
            *([] if one.otherwise is None else [None]),
        )
        for name, one in declared.items()
    ]
    named = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    return named + own


def ignoring_override(text: str) -> str:
    """A method that names its inputs, where that of the base takes any."""
    narrower = "**inputs" not in text
    return text.replace("(", "(  # type: ignore[override]\n", 1) if narrower else text


class Torch(Framework):
    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        if core_class is CenterLoss:
            yield "centers: Tensor"
        for text in super().methods(core_class):
            yield text.replace(", centers: Tensor", "")  # a buffer here


class Jax(Framework):
    def bases(self, core_class: type) -> str:
        return f"{self.base}, seglosses_core.{core_class.__name__}"

    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        yield from map(ignoring_override, super().methods(core_class))

    def parameter(self, parameter: inspect.Parameter) -> str:
        text = super().parameter(parameter)
        return text if "ndarray" in text else re.sub(r"\bArray\b", "Array | ndarray", text)


class Keras(Framework):
    def bases(self, core_class: type) -> str:
        return "keras.layers.Layer" if core_class is CenterLoss else self.base

    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        if core_class is CenterLoss:
            yield "centers: Any"
            yield "def __call__(self, inputs: Sequence[Any], *, training: bool | None = None) -> Any: ..."
            return
        inputs = keyword("inputs", "Any").replace(kind=inspect.Parameter.VAR_KEYWORD)
        parameters = with_inputs([keyword("mask", "Any", None), inputs], core_class)
        first = ["self", "y_true: Any", "y_pred: Any", "sample_weight: Any = None"]
        yield ignoring_override(self.function("__call__", first, parameters, "Any"))
        if core_class is EnsembleLoss:
            yield self.function("parts", first, parameters, "tuple[Any, tuple[Any, ...]]")


CORE = Framework(
    package="seglosses_core", imports="from typing import Any\n", base="Loss", array="Any", class_axis=1
)

TORCH = Torch(
    package="seglosses_torch",
    class_axis=1,
    imports="""\
from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor
from torch.nn import Module

from seglosses_torch.deep_supervision import DeepSupervisionLoss
from seglosses_torch.learnable import LearnablePower, LearnableWeights
from seglosses_core.statistics import Statistics

from seglosses_torch.module import TorchLoss
""",
    exports=("DeepSupervisionLoss", "LearnablePower", "LearnableWeights", "TorchLoss"),
    base="TorchLoss",
    array="Tensor",
    calls=("__call__", "parts"),
)

JAX = Jax(
    package="seglosses_jax",
    class_axis=-1,
    imports="""\
from collections.abc import Sequence
from typing import Any, Literal

import seglosses_core
from jax import Array
from numpy import ndarray
from seglosses_core import DeepSupervisionLoss
from seglosses_core.statistics import Statistics

from seglosses_jax.loss import JaxLoss
""",
    exports=("DeepSupervisionLoss", "JaxLoss"),
    base="JaxLoss",
    array="Array",
    calls=("__call__", "value_and_grad", "parts"),
)

KERAS = Keras(
    package="seglosses_keras",
    class_axis=-1,
    imports="""\
from collections.abc import Sequence
from typing import Any, Literal

import keras

from seglosses_keras.deep_supervision import DeepSupervisionLoss
from seglosses_keras.layers import LearnableLoss
from seglosses_keras.loss import KerasLoss
""",
    exports=("DeepSupervisionLoss", "KerasLoss", "LearnableLoss"),
    base="KerasLoss",
    array="Any",
)


def indented(*lines: str) -> str:
    return "".join("    " + line.replace("\n", "\n    ") + "\n" for line in lines)


def stubs() -> dict[Path, str]:
    """The text of each stub, by its file."""
    adapters = {ROOT / "adapters" / one.package: one for one in (TORCH, JAX, KERAS)}
    made = {folder / "__init__.pyi": one.stub() for folder, one in adapters.items()}
    for folder, one in {ROOT / CORE.package: CORE, **adapters}.items():
        made |= {folder / "presets" / f"{peer}.pyi": one.presets(peer) for peer in PEERS}
    return laid_out(made)


def laid_out(texts: dict[Path, str]) -> dict[Path, str]:
    """Unused imports gone, lines broken and sorted as ruff has them."""
    with TemporaryDirectory() as folder:
        drafts = {path: Path(folder, f"{number}.pyi") for number, path in enumerate(texts)}
        for path, draft in drafts.items():
            draft.write_text(texts[path])
        for command in (["check", "--fix", "--select", "F401,I,RUF022"], ["format"]):
            options = ["--quiet", "--no-cache", "--config", ROOT / "pyproject.toml", folder]
            subprocess.run([sys.executable, "-m", "ruff", *command, *options], check=True)
        return {path: draft.read_text() for path, draft in drafts.items()}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)

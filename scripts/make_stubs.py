"""Writes `__init__.pyi` of the adapters, whose classes are made from the core's list, unseen by editors otherwise.

    python scripts/make_stubs.py

A new loss needs no line here. What an adapter words differently stands in its `Framework`. Needs ruff, for the layout.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS, CenterLoss, EnsembleLoss, Loss
from seglosses_core.defaults import with_defaults

ADAPTERS = Path(__file__).parent.parent / "adapters"
OFFERED = (*LOSSES, *POOLINGS, *FUNCTIONS)

Parameters = list[inspect.Parameter]


def keyword(name: str, annotation: str, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


@dataclass(frozen=True)
class Framework:
    """How one adapter's classes differ from the core's."""

    package: str
    imports: str
    exports: tuple[str, ...]
    """What the adapter has beside losses, poolings and functions."""
    base: str
    array: str
    class_axis: int
    annotations: dict[str, str] = field(default_factory=dict)
    """Of hyper-parameters that take more, or something else, than the core's."""
    calls: tuple[str, ...] = ()
    """The methods of the core that are shown with the framework's arrays."""

    @property
    def defaults(self) -> dict[str, Any]:
        """Of the core's functions."""
        return {"class_axis": self.class_axis, "package": self.package}

    def bases(self, core_class: type) -> str:
        return self.base

    def parameters(self, core_class: type) -> Parameters:
        """Those of the constructor."""
        return list(inspect.signature(core_class).parameters.values())

    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        """What stands in the class after the constructor."""
        for name in self.calls:
            signature = inspect.signature(getattr(core_class, name))
            parameters = with_inputs(list(signature.parameters.values())[1:], core_class)
            returned = str(signature.return_annotation)
            if isinstance(core_class.inputs, property) or "features" not in core_class.inputs:
                returned = returned.replace("Any", "Array")
            yield self.function(name, ["self"], parameters, returned)

    # -- text -----------------------------------------------------------------------------------------------------

    def stub(self) -> str:
        listed = sorted([*self.exports, *(one.__name__ for one in OFFERED)])
        as_they_are = [f for f in FUNCTIONS if with_defaults(f, **self.defaults) is f]
        imported = ["Loss", "Pooling", *(one.__name__ for one in (*POOLINGS, *as_they_are))]
        parts = [
            '"""Made by scripts/make_stubs.py; not to be edited."""\n',
            f"from seglosses_core import {', '.join(imported)}\n{self.imports}",
            f"__all__ = {listed!r}\n",
            *(self.loss(core_class) for core_class in LOSSES),
            *(self.changed(function) for function in FUNCTIONS if function not in as_they_are),
        ]
        return "\n".join(parts)

    def loss(self, core_class: type) -> str:
        summary = inspect.cleandoc(core_class.__doc__ or "").partition("\n\n")[0]
        body = [f'"""{summary}"""', self.function("__init__", ["self"], self.parameters(core_class), "None")]
        return f"class {core_class.__name__}({self.bases(core_class)}):\n" + indented(
            *body, *self.methods(core_class)
        )

    def changed(self, function: Callable[..., Any]) -> str:
        """One that has defaults of this package. The package itself is given already, and makes losses of its own."""
        signature = inspect.signature(function)
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
        annotation = str(parameter.annotation)
        more = self.annotations.get(parameter.name) if annotation != "str" else None
        text = f"{parameter.name}: {more or self.type(annotation)}"
        if parameter.default is inspect.Parameter.empty:
            return text
        plain = isinstance(parameter.default, (str, bool, int, float, tuple, type(None)))
        default = self.class_axis if parameter.name == "class_axis" else parameter.default
        return f"{text} = {default!r}" if plain else f"{text} = ..."

    def type(self, annotation: str) -> str:
        return re.sub(r"\bArray\b", self.array, annotation)


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
    def parameters(self, core_class: type) -> Parameters:
        own = [keyword("num_classes", "int"), keyword("num_features", "int | None", None)]
        return (own if core_class is CenterLoss else []) + super().parameters(core_class)

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
        return re.sub(r"\bArray\b", "Array | np.ndarray", super().parameter(parameter))


class Keras(Framework):
    def bases(self, core_class: type) -> str:
        return "keras.layers.Layer" if core_class is CenterLoss else self.base

    def parameters(self, core_class: type) -> Parameters:
        own = [keyword("num_classes", "int"), keyword("num_features", "int | None", None)]
        common = [keyword("name", "str | None", None), keyword("dtype", "Any", None)]
        if core_class not in (CenterLoss, EnsembleLoss):
            common.insert(0, keyword("across_replicas", "bool", True))
        return (own if core_class is CenterLoss else []) + super().parameters(core_class) + common

    def methods(self, core_class: type[Loss]) -> Iterable[str]:
        if core_class is CenterLoss:
            yield "centers: Any"
            yield "def __call__(self, inputs: Sequence[Any], *, training: bool | None = None) -> Any: ..."
            return
        inputs = keyword("inputs", "Any").replace(kind=inspect.Parameter.VAR_KEYWORD)
        parameters = with_inputs([keyword("mask", "Any", None), inputs], core_class)
        first = ["self", "y_true: Any", "y_pred: Any", "sample_weight: Any = None"]
        yield ignoring_override(self.function("__call__", first, parameters, "Any"))


TORCH = Torch(
    package="seglosses_torch",
    imports="""\
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from seglosses_torch.deep_supervision import DeepSupervisionLoss
from seglosses_torch.learnable import LearnablePower, LearnableWeights
from seglosses_torch.module import TorchLoss
""",
    exports=("DeepSupervisionLoss", "LearnablePower", "LearnableWeights", "TorchLoss"),
    base="TorchLoss",
    array="Tensor",
    class_axis=1,
    annotations={
        "p": "float | Tensor | nn.Module",
        "losses": "Sequence[TorchLoss]",
        "weights": "Sequence[float | Tensor | nn.Module] | Tensor | nn.Module | None",
        "cost": "TorchLoss",
    },
    calls=("__call__",),
)

JAX = Jax(
    package="seglosses_jax",
    imports="""\
from collections.abc import Sequence
from typing import Any

import numpy as np
import seglosses_core
from jax import Array
from seglosses_core import DeepSupervisionLoss
from seglosses_core.pixel import PixelLoss
from seglosses_core.region import RatioLoss

from seglosses_jax.loss import JaxLoss
""",
    exports=("DeepSupervisionLoss", "JaxLoss"),
    base="JaxLoss",
    array="Array",
    class_axis=-1,
    calls=("__call__", "value_and_grad"),
)

KERAS = Keras(
    package="seglosses_keras",
    imports="""\
from collections.abc import Sequence
from typing import Any

import keras

from seglosses_keras.deep_supervision import DeepSupervisionLoss
from seglosses_keras.layers import LearnableLoss
from seglosses_keras.loss import KerasLoss
""",
    exports=("DeepSupervisionLoss", "KerasLoss", "LearnableLoss"),
    base="KerasLoss",
    array="Any",
    class_axis=-1,
    annotations={"losses": "Sequence[KerasLoss]", "cost": "KerasLoss"},
)


def indented(*lines: str) -> str:
    return "".join("    " + line.replace("\n", "\n    ") + "\n" for line in lines)


def stubs() -> dict[Path, str]:
    """The text of each stub, by its file."""
    return {ADAPTERS / f.package / "__init__.pyi": laid_out(f.stub()) for f in (TORCH, JAX, KERAS)}


def laid_out(text: str) -> str:
    """Unused imports gone, lines broken and sorted as ruff has them."""
    name = ["--quiet", "--stdin-filename", str(ADAPTERS / "stub.pyi"), "-"]
    for command in (["check", "--fix", "--select", "F401,I"], ["format"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *name],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        text = ran.stdout
    return text


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)

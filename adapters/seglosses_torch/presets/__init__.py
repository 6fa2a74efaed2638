"""The losses of other libraries, as modules: `from seglosses_torch.presets.monai import DiceCELoss`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_core.presets.loss import find_loss, find_variant
from seglosses_torch.function import evaluate
from seglosses_torch.module import TorchLoss, module_class


class _Preset(TorchLoss):
    def __repr__(self) -> str:
        return repr(self.core)

    def forward(self, *arrays: Tensor, **named: Any) -> Tensor:
        core: Any = self.core
        loss, order, others = core.called(arrays, named)
        return evaluate(loss, *order, **others)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            core: Any = self.__dict__.get("core")
            arguments = {} if core is None else dict(core.arguments)
            if name not in arguments:
                raise
            return arguments[name]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The weights that a checkpoint has of the other library's loss have to be those of this one."""
        core: Any = self.core
        given = [value for value in _values(core.arguments) if isinstance(value, (tuple, float, int))]
        known = [list(value) if isinstance(value, tuple) else value for value in given]
        known += [value[1:] for value in known if isinstance(value, list)]  # without a background
        errors: list[str] = args[-1]
        for key in [key for key in state_dict if key.startswith(prefix)]:
            value = state_dict.pop(key)
            if key.rpartition(".")[2] not in ("weight", "pos_weight", "class_weight"):
                errors.append(f"{key} is not known to {core!r}.")
            elif value.tolist() not in known:
                errors.append(f"{key} is {value.tolist()}, with which {core!r} was not made.")

    def equivalent(self, num_classes: int, **options: Any) -> TorchLoss:
        found: Any = self.core
        return found.equivalent(num_classes, package="seglosses_torch", **options)


def _values(arguments: Any) -> Iterator[Any]:
    """Of arguments, and of those that are themselves arguments of a part."""
    for _, value in arguments:
        several = isinstance(value, tuple) and value and isinstance(value[0], tuple)
        yield from _values(value) if several and isinstance(value[0][0], str) else (value,)


PresetLoss = module_class(Core, _Preset, __module__=__name__)

torch.compiler.assume_constant_result(find_loss)
torch.compiler.assume_constant_result(find_variant)

offer(__name__, PresetLoss, class_axis=1)

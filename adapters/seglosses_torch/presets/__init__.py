"""The losses of other libraries, as modules: `from seglosses_torch.presets.monai import DiceCELoss`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_core.presets.loss import find_loss, find_variant
from seglosses_torch.function import evaluate
from seglosses_torch.internals import constant_result
from seglosses_torch.module import TorchLoss, module_class


class _Preset(TorchLoss):
    if TYPE_CHECKING:

        def __call__(self, *arrays: Tensor, **named: Any) -> Tensor: ...

    def __repr__(self) -> str:
        return repr(self.core)

    def forward(self, *arrays: Tensor, **named: Any) -> Tensor:
        core: Any = self.core
        loss, order, others = core.called(arrays, named)
        value = self.replayed(loss, dict(zip(("logits", "target"), order, strict=True)) | others)
        return evaluate(loss, *order, **others) if value is None else value

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            core: Any = self.__dict__.get("core")
            arguments = {} if core is None else dict(core.arguments)
            if name not in arguments:
                raise
            return arguments[name]

    def _in_checkpoints(self, prefix: str) -> dict[str, Any]:
        """The numbers that the other library's loss writes, so that either loads what the other has written."""
        recipe: Any = self.core.recipe  # type: ignore[attr-defined]
        return {prefix + name: value for name, value in recipe.buffers.items() if value is not None}

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for key, value in self._in_checkpoints(prefix).items():
            destination[key] = torch.tensor(value)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """What a checkpoint has of the loss has to be what it was made with."""
        own = self._in_checkpoints(prefix)
        for key in [key for key in state_dict if key.startswith(prefix)]:
            value = state_dict[key]
            if key not in own:
                unexpected_keys += [key] if strict else []
                continue
            expected = torch.tensor(own[key], dtype=torch.float64).to(value)
            if not expected.ndim:  # which MONAI has once for each class as soon as the loss is called
                expected = expected.expand_as(value)
            if not torch.equal(expected, value):
                error_msgs.append(f"{key} is {value.tolist()}, with which {self!r} was not made.")

    def equivalent(self, num_classes: int, **options: Any) -> TorchLoss:
        found: Any = self.core
        return found.equivalent(num_classes, package="seglosses_torch", **options)


if TYPE_CHECKING:
    PresetLoss = _Preset
else:
    PresetLoss = module_class(Core, _Preset, __module__=__name__)

constant_result(find_loss)
constant_result(find_variant)

offer(__name__, PresetLoss, class_axis=1)

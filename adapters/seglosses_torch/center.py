"""The center loss, its centres in a buffer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seglosses_core import CenterLoss as CoreCenterLoss
from seglosses_core.checks import check_integer
from seglosses_core.losses.center import moved_centers
from seglosses_core.signatures import keyword, known_to_take
from seglosses_torch.function import make_ops
from seglosses_torch.module import TorchLoss, parameters


class CenterLoss(TorchLoss):
    __doc__ = f"""{(CoreCenterLoss.__doc__ or "").partition("    Examples")[0].rstrip()}
    num_classes : int
        C, the number of centres.
    num_features : int, optional
        D, the length of a centre: that of the features, or C where the logits are the features.

    In training mode each call moves the centres, the buffer `centers`, after it has computed the loss.
    """

    __module__ = "seglosses_torch"
    core_class = CoreCenterLoss
    centers: Tensor

    @known_to_take(
        [
            keyword("num_classes", int),
            keyword("num_features", int | None, None),
            *parameters(CoreCenterLoss),
        ]
    )
    def __init__(self, *, num_classes: int, num_features: int | None = None, **hyperparameters: Any) -> None:
        check_integer("num_classes", num_classes, at_least=2)
        if num_features is not None:
            check_integer("num_features", num_features, at_least=1)
        super().__init__(**hyperparameters)
        self.register_buffer("centers", torch.zeros(num_classes, num_features or num_classes))

    def extra_repr(self) -> str:
        num_classes, num_features = self.centers.shape
        return f"num_classes={num_classes}, num_features={num_features}, {super().extra_repr()}"

    def held_inputs(self) -> dict[str, Tensor]:
        # A copy in training, for autograd must not find its input changed after the step.
        return {"centers": self.centers.clone() if self.training else self.centers}

    def after_step(
        self,
        logits: Tensor,
        target: Tensor,
        mask: Tensor | None,
        sample_weight: Tensor | None,
        inputs: dict[str, Tensor | None],
    ) -> None:
        loss = self.bound()
        assert isinstance(loss, CoreCenterLoss)
        with torch.no_grad():
            call = loss.prepare(logits, target, mask, sample_weight, inputs, make_ops)
            self.centers.copy_(moved_centers(loss, call))

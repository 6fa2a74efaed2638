"""The loss of several outputs as an `nn.Module`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from seglosses_core.deep_supervision import DeepSupervisionLoss as Core
from seglosses_core.deep_supervision import Preset, checked_weights


class DeepSupervisionLoss(nn.Module):
    __doc__ = Core.__doc__

    def __init__(self, *, loss: nn.Module, weights: Preset | Sequence[float] = "exponential") -> None:
        super().__init__()
        self.loss = loss
        self.weights = checked_weights(weights)

    def forward(
        self,
        logits: Sequence[Tensor],
        target: Tensor | Sequence[Tensor],
        *,
        mask: Tensor | Sequence[Tensor] | None = None,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        """The sum over the outputs, from fine to coarse; `target` and `mask` for each or one for all."""
        core = Core(loss=self.loss, weights=self.weights)
        return core(logits, target, mask=mask, sample_weight=sample_weight)

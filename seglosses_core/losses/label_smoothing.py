"""Cross-entropy with a penalty on logits that are far apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.checks import check_number
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class MarginBasedLabelSmoothingLoss(PixelLoss):
    """`ℓ = −Σ_c y_c log p_c + (λ / C) Σ_c max(max_j z_j − z_c − m, 0)` for every pixel, z being its logits.

    Liu et al. 2022 (arXiv:2111.15430), with the mean over classes of their code, where the paper has the sum.
    For exclusive classes, activation="softmax". Logits that tie for the largest share its gradient.

    Parameters
    ----------
    margin : float
        m ≥ 0.
    weight : float
        λ ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = MarginBasedLabelSmoothingLoss(margin=1.0)
    >>> float(loss(logits, labels).round(6))
    0.442644
    """

    margin: float = 10.0
    weight: float = 0.1

    needs = Needs(finite_logits=True, label_log_probability=True)
    pointwise = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("margin", self.margin, at_least=0)
        check_number("weight", self.weight, at_least=0)
        self.check_activation("softmax")

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        xp, z = ops.xp, prediction.logits
        costs = self._entropy().costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        highest = xp.max(z, axis=ops.class_axis, keepdims=True)
        gap = highest - z
        beyond = gap > self.margin
        excess = xp.where(beyond, gap - self.margin, xp.zeros_like(gap))
        share = self.weight / int(target.num_classes)

        def back(upstream: Array) -> Cotangent:
            leaders, behind = ops.cast(gap == 0, z.dtype), ops.cast(beyond, z.dtype)
            pushed = ops.over_classes(ops.sum_classes(behind) / ops.sum_classes(leaders))
            slope = ops.over_classes(upstream) * share * (leaders * pushed - behind)
            return to_entropy(upstream) + Cotangent(logits=[slope])

        return replace(costs, values=costs.values + share * ops.sum_classes(excess), back=back)

    def cost_weights(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        return self._entropy().cost_weights(target, ops)

    def _entropy(self) -> CrossEntropyLoss:
        return CrossEntropyLoss(class_weights=self.class_weights)

"""Cross-entropy with a penalty on logits that are far apart, or far from the labels around their pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.checks import check_number, check_window
from seglosses_core.costs import Costs, Weights
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target
from seglosses_core.windows import window_mean


@dataclass(frozen=True, kw_only=True)
class PenalizedLoss(PixelLoss):
    """`ℓ = −Σ_c y_c log p_c + λ r` with a penalty r on the logits of each pixel, for exclusive classes.

    Parameters
    ----------
    weight : float
        λ ≥ 0.
    """

    weight: float = 0.1

    needs = Needs(finite_logits=True, label_log_probability=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("weight", self.weight, at_least=0)
        self.check_activation("softmax")

    def penalty(self, z: Array, target: Target, ops: Ops) -> tuple[Array, Callable[[], Array]]:
        """C r, the sum over the classes: a map; and its derivative by the logits."""
        raise NotImplementedError

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        costs = self._entropy().costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        share = self.weight / int(target.num_classes)
        penalty, slope = self.penalty(prediction.logits, target, ops)

        def back(upstream: Array) -> Cotangent:
            return to_entropy(upstream) + Cotangent(logits=[ops.over_classes(upstream) * share * slope()])

        return replace(costs, values=costs.values + share * penalty, back=back)

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        return self._entropy().cost_weights(target, ops)

    def _entropy(self) -> CrossEntropyLoss:
        return CrossEntropyLoss(class_weights=self.class_weights, divisor=self.divisor)


@dataclass(frozen=True, kw_only=True)
class MarginBasedLabelSmoothingLoss(PenalizedLoss):
    """`ℓ = −Σ_c y_c log p_c + (λ / C) Σ_c max(max_j z_j − z_c − m, 0)` for every pixel, z being its logits.

    Liu et al. 2022 (arXiv:2111.15430), with the mean over classes of their code, where the paper has the sum.
    For exclusive classes, activation="softmax". Logits that tie for the largest share its gradient.

    Parameters
    ----------
    weight : float
        λ ≥ 0.
    margin : float
        m ≥ 0.

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

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("margin", self.margin, at_least=0)

    def penalty(self, z: Array, target: Target, ops: Ops) -> tuple[Array, Callable[[], Array]]:
        xp = ops.xp
        gap = xp.max(z, axis=ops.class_axis, keepdims=True) - z
        beyond = gap > self.margin

        def slope() -> Array:
            leaders, behind = ops.cast(gap == 0, z.dtype), ops.cast(beyond, z.dtype)
            pushed = ops.over_classes(ops.sum_classes(behind) / ops.sum_classes(leaders))
            return leaders * pushed - behind

        return ops.sum_classes(xp.where(beyond, gap - self.margin, xp.zeros_like(gap))), slope


@dataclass(frozen=True, kw_only=True)
class NACLLoss(PenalizedLoss):
    """`ℓ = −Σ_c y_c log p_c + (λ / C) Σ_c |z_c − v_c|` for every pixel, z being its logits and v the mean of the target
    over the window around it.

    Murugesan et al. 2023 (arXiv:2303.06268, neighbour-aware calibration), with the mean filter and the L1 distance that
    are the defaults in MONAI. Cells outside the image are 0 and count; ours: ignored ones, too. For exclusive classes,
    activation="softmax"; a number that is added to all logits of a pixel changes the loss. At z = v the derivative of
    the distance is 0.

    Parameters
    ----------
    weight : float
        λ ≥ 0.
    kernel_size : int
        The odd width of the window, in pixels, on every spatial axis. Time does not grow with it.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = NACLLoss()
    >>> float(loss(logits, labels).round(6))
    0.489867
    """

    sees = "image"

    kernel_size: int = 3

    pointwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window("kernel_size", self.kernel_size)

    def penalty(self, z: Array, target: Target, ops: Ops) -> tuple[Array, Callable[[], Array]]:
        offset = z - window_mean(target.only_valid(target.values), self.kernel_size, ops)
        sign = ops.cast(offset > 0, z.dtype) - ops.cast(offset < 0, z.dtype)
        return ops.sum_classes(sign * offset), lambda: sign

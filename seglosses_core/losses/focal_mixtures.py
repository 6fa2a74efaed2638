"""The focal loss of overlapping classes whose soft targets mix p, its logarithms or its logits, not its costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import divide, power_or_zero
from seglosses_core.checks import check_choice
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.target import Target

if TYPE_CHECKING:
    from seglosses_core.losses.focal import FocalLoss

Mixture = Literal["costs", "probabilities", "logarithms", "logits"]


def check_mixes(loss: FocalLoss) -> None:
    """Refuse what `mixes` does not go with."""
    check_choice("mixes", loss.mixes, get_args(Mixture))
    if loss.mixes == "costs":
        return
    if loss.activation != "sigmoid" and (loss.mixes == "logits" or not loss.overlapping):
        raise ValueError(
            f"mixes must be 'costs' for exclusive classes, and not 'logits' for probabilities, got {loss.mixes!r}"
            f" with activation={loss.activation!r}; overlapping classes have activation='sigmoid', or"
            " overlapping=True."
        )
    if loss.normalized:
        raise ValueError(
            f"mixes must be 'costs' with normalized=True, which weighs each side, got {loss.mixes!r}."
        )


def mixed_costs(loss: FocalLoss, prediction: Prediction, target: Target, ops: Ops) -> Costs:
    """One power of 1 − p_t for both sides."""
    xp, y = ops.xp, target.values
    weighted = loss.cost_weights(target, ops)
    yes, no = loss.both_sides(prediction, target, weighted.values, ops)
    log_p = ops.finite_where_unused(yes.side.log, lambda: y != 0)
    log_q = ops.finite_where_unused(no.side.log, lambda: y != 1)
    alpha = 1.0 if loss.alpha is None else yes.share + no.share  # type: ignore[operator]
    gamma = loss.gamma_of(yes, ops)
    entropy = -y * log_p - (1 - y) * log_q
    if loss.mixes == "logits":
        missed = xp.exp(ops.log_sigmoid((1 - 2 * y) * (log_p - log_q)))
    elif loss.mixes == "logarithms":
        missed = -xp.expm1(-entropy)
    else:
        missed = y * yes.side.complement() + (1 - y) * no.side.complement()
    damping = alpha * power_or_zero(missed, gamma, xp)

    def back(upstream: Array) -> Cotangent:
        lowest = 0.9 * math.log(xp.finfo(log_p.dtype).smallest_normal)  # where p underflows, p log p is 0
        inside = -y * ops.clip(log_p, lowest, 0.0) - (1 - y) * ops.clip(log_q, lowest, 0.0)
        # Of the entropy times the logarithm of 1 − p_t, by log p and log(1 − p).
        if loss.mixes == "logits":
            by_p = (1 - 2 * y) * (1 - missed) * inside
            by_q = -by_p
        else:
            ratio = divide(inside, missed, xp, otherwise=1.0)
            if loss.mixes == "logarithms":
                ratio = -xp.exp(-inside) * ratio
                by_p, by_q = y * ratio, (1 - y) * ratio
            else:
                by_p, by_q = (1 - 2 * y) * xp.exp(log_p) * ratio, 0.0
        slope = upstream * damping
        return Cotangent(
            terms=[(0, (slope, gamma * by_p - y))], complement=[slope * (gamma * by_q - (1 - y))]
        )

    return Costs(damping * entropy, weighted, back)

"""Sums of losses that were published under a name of their own, and one loss of several outputs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence, Set
from typing import Any

from seglosses_core.checks import check_flag, check_integer, check_number, python_number


def combo_loss(
    *, alpha: float = 0.5, beta: float = 0.5, package: str = "seglosses_core", **common: Any
) -> Any:
    """`L = α CE_β + (1 − α) Dice`, with `CE_β = −mean[β y log p + (1 − β)(1 − y) log(1 − p)]` and one Dice over the
    batch, ε = 1: an `EnsembleLoss`, for overlapping classes.

    Taghanaki et al. 2019 (arXiv:1805.02798), who subtract the Dice coefficient where we add the loss, which is 1 − α
    more. Their code rewards false positives in CE_β.

    Parameters
    ----------
    alpha : float
        The weight of cross-entropy, in [0, 1].
    beta : float
        That of the foreground in it, in (0, 1).
    package : str
        Whose losses are added up; each package of losses has its own.
    **common
        Hyper-parameters that both have: class_axis, ignore_index, class_weights, validate.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5, -2.0]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[1, 0, 0, 0]])
    >>> float(combo_loss(beta=0.75)(logits, labels).round(6))
    0.201262
    """
    check_number("alpha", alpha, at_least=0, at_most=1)
    check_number("beta", beta, above=0, below=1)
    losses, common = importlib.import_module(package), {"activation": "sigmoid", **common}
    entropy = losses.CrossEntropyLoss(pos_weight=beta / (1 - beta), **common)
    dice = losses.DiceLoss(smooth=1.0, aggregate="batch", **common)
    return alpha * (1 - beta) * entropy + (1 - alpha) * dice


def UnifiedFocalLoss(
    *,
    weight: float = 0.5,
    delta: float = 0.6,
    gamma: float = 0.5,
    asymmetric: bool = True,
    rare: int | Sequence[int] = 1,
    num_classes: int = 2,
    package: str = "seglosses_core",
    **common: Any,
) -> Any:
    """`L = λ F + (1 − λ) R`, a focal loss of pixels and one of regions with common parameters: an `EnsembleLoss`.

        F = mean_i δ_y (1 − p)^γ (−log p)        δ at rare labels, 1 − δ elsewhere
        R = mean_c (1 − t_c)^(1 − γ)             t = I / (I + δ FN + (1 − δ) FP)

    With `asymmetric`, rare classes are not damped in F, γ = 0, and others are not enhanced in R, 1 − γ = 1. Yeung et
    al. 2022 (arXiv:2102.04525), as in their code, with the paper's λ, which is the weight of F; their code has it on R.

    Parameters
    ----------
    weight : float
        λ in [0, 1].
    delta : float
        In (0, 1).
    gamma : float
        In [0, 1).
    asymmetric : bool
    rare : int or sequence of int
        The rare classes.
    num_classes : int
        C, at least 2.
    package : str
        Whose losses are added up; each package of losses has its own.
    **common
        Hyper-parameters that all have: activation, class_axis, ignore_index, validate.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> float(UnifiedFocalLoss()(logits, labels).round(6))
    0.319329
    """
    check_number("weight", weight, at_least=0, at_most=1)
    check_number("delta", delta, above=0, below=1)
    check_number("gamma", gamma, at_least=0, below=1)
    check_flag("asymmetric", asymmetric)
    check_integer("num_classes", num_classes, at_least=2)
    rare = python_number(rare)
    given = rare if isinstance(rare, (tuple, Set)) else (rare,)
    if not given or not all(type(c) is int and 0 <= c < num_classes for c in given):
        raise ValueError(f"rare must be classes from 0 to {num_classes - 1}, got {rare!r}.")
    indices = set(given)
    losses = importlib.import_module(package)
    is_rare = [c in indices for c in range(num_classes)]
    focal = losses.FocalLoss(
        gamma=[0.0 if asymmetric and one else gamma for one in is_rare],
        alpha=[delta if one else 1 - delta for one in is_rare],
        **common,
    )
    region: dict[str, Any] = {"alpha": 1 - delta, "beta": delta, "smooth": 1e-7, **common}
    exponent = 1 - gamma
    if not asymmetric or len(indices) == num_classes:
        return weight * focal + (1 - weight) * losses.FocalTverskyLoss(gamma=exponent, **region)
    share = len(indices) / num_classes
    enhanced = losses.FocalTverskyLoss(gamma=exponent, class_weights=list(map(float, is_rare)), **region)
    plain = losses.TverskyLoss(class_weights=[1.0 - one for one in is_rare], **region)
    return weight * focal + (1 - weight) * share * enhanced + (1 - weight) * (1 - share) * plain


def ExponentialLogarithmicLoss(
    *,
    weight: float = 0.8,
    gamma: float = 0.3,
    gamma_cross_entropy: float = 0.3,
    label_weights: Any = None,
    package: str = "seglosses_core",
    **common: Any,
) -> Any:
    """`L = λ mean_c (−log s_c)^γ + (1 − λ) mean_i v_y (−log p)^γ'`, with s the Dice coefficient, ε = 1: an
    `EnsembleLoss`.

    Wong et al. 2018 (arXiv:1809.00076).

    Parameters
    ----------
    weight : float
        λ in [0, 1], the weight of Dice.
    gamma : float
        γ > 0, of Dice.
    gamma_cross_entropy : float
        γ' > 0.
    label_weights : sequence or array `(C,)`, optional
        v ≥ 0; in the paper `class_weights_from_counts(counts, scheme="sqrt_inverse")` of the pixels of the training
        set. The mean is not divided by them.
    package : str
        Whose losses are added up; each package of losses has its own.
    **common
        Hyper-parameters that both have: activation, class_axis, ignore_index, class_weights, validate.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> float(ExponentialLogarithmicLoss()(logits, labels).round(6))
    0.662008
    """
    check_number("weight", weight, at_least=0, at_most=1)
    check_number("gamma_cross_entropy", gamma_cross_entropy, above=0)
    losses = importlib.import_module(package)
    dice = losses.ExponentialLogarithmicDiceLoss(gamma=gamma, smooth=1.0, **common)
    entropy = losses.ExponentialLogarithmicCrossEntropyLoss(
        gamma=gamma_cross_entropy, label_weights=label_weights, **common
    )
    return weight * dice + (1 - weight) * entropy

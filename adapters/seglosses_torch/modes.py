"""Who is at work on the tensors of a call, and which derivative serves them."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import torch
from torch import Tensor

from seglosses_torch import internals


class Mode(enum.Enum):
    """How a loss is computed and differentiated."""

    EAGER = "by hand, with the value, in place"
    TRANSFORMED = "by hand, in operations that torch.func and tracers follow"
    COMPILED = "by hand, in operations that torch.compile fuses"
    FORMULA = "by autograd, from the formula"


def mode_of(logits: Tensor, others: Iterable[Tensor], constants: Iterable[Tensor], *, none: bool) -> Mode:
    """The mode of a call. `others` are its further tensors, `constants` those among the hyper-parameters; `none` says
    that the loss is a map, whose derivative by hand would serve one direction alone.

    An exported or traced program has no derivatives by hand, forward mode cannot enter one, a compiler cannot map one,
    and all of them are of the logits alone.
    """
    others, constants = list(others), list(constants)
    if internals.is_exporting() or torch.jit.is_tracing() or internals.is_forward_mode():
        return Mode.FORMULA
    learnt = torch.is_grad_enabled() and any(x.requires_grad for x in (*others, *constants))
    if torch.compiler.is_compiling():
        return Mode.FORMULA if none or learnt or internals.is_under_transforms() else Mode.COMPILED
    if none and torch.is_grad_enabled() and logits.requires_grad:
        return Mode.FORMULA
    if (
        internals.is_recorded()
        or internals.is_under_transforms()
        or any(map(is_transformed, (logits, *others, *constants)))
    ):
        return Mode.FORMULA if none or learnt or any(map(is_transformed, constants)) else Mode.TRANSFORMED
    return Mode.FORMULA if learnt else Mode.EAGER


def is_transformed(tensor: Tensor) -> bool:
    """Whether `torch.func`, or autograd's batching, is at work on a tensor, so that what it wraps must not be
    overwritten, or a tensor has no values to look at."""
    return internals.is_wrapped(tensor) or internals.is_batched(tensor) or internals.is_fake(tensor)


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor has values to look at, and nobody records or transforms what is done with it."""
    if torch.compiler.is_compiling() or internals.is_exporting():  # which follow none of the other questions
        return False
    return not (internals.is_recorded() or internals.is_under_transforms() or is_transformed(tensor))

"""A case before it is answered, and the short way to write one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from .arrays import LABELS, LOGITS


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A case without its answer: everything that a case file says but `expected`."""

    name: str
    """Its id without the name of the loss."""
    comment: str
    source: str = ""
    """If it is not that of the loss."""
    flags: tuple[str, ...] = ()
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    logits: Any
    target: Any
    mask: Any = None
    sample_weight: Any = None
    centers: Any = None
    features: Any = None
    instances: Any = None
    value_by_hand: float | None = None
    """What the comment comes to. Results by hand are for the oracle's tests and stand in no case file."""
    gradient_by_hand: Sequence[float] | None = None


FIELDS = [field.name for field in fields(Definition)]


def case(
    name: str, comment: str, *, flags: str = "", logits: Any = LOGITS, target: Any = LABELS, **others: Any
) -> Definition:
    """A case of two small images, if no arrays are given. Of `others`, what is no field is a hyper-parameter."""
    given = {key: others.pop(key) for key in FIELDS if key in others}
    return Definition(
        name=name,
        comment=comment,
        flags=tuple(flags.split()),
        hyperparameters=others,
        logits=logits,
        target=target,
        **given,
    )


def by_name(*definitions: Definition) -> dict[str, Definition]:
    return {definition.name: definition for definition in definitions}

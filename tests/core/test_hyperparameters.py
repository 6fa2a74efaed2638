"""What hyper-parameters may be made of, what of it is refused, and what losses are beside being called: equal, hashed,
added up."""

from __future__ import annotations

import array
import collections
import contextlib
import enum
import itertools
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_jax
import seglosses_torch
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core.signatures import types_of

PACKAGES = {"numpy": seglosses_core, "torch": seglosses_torch, "jax": seglosses_jax}
MAKE = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
LABELS = np.random.default_rng(1).integers(0, 3, size=(2, 4, 5))

each_package = pytest.mark.parametrize("package", PACKAGES)


def value(package, loss):
    return loss(MAKE[package](LOGITS), MAKE[package](LABELS))


def core(loss):
    """The loss, or that of the core in it: losses of torch are modules, which are equal to themselves alone."""
    return loss.core if isinstance(loss, seglosses_torch.TorchLoss) else loss


class Weights(Sequence):
    """A sequence that is neither list nor tuple."""

    def __init__(self, *weights):
        self._weights = weights

    def __len__(self):
        return len(self._weights)

    def __getitem__(self, index):
        return self._weights[index]


NUMBERS = {
    "Fraction": Fraction,
    "Decimal": lambda x: Decimal(str(x)),
    "float32": np.float32,
    "float64": np.float64,
    "longdouble": np.longdouble,
}


def number_fields():
    """Every hyper-parameter that may be one number, with one that the loss takes beside what its record samples."""
    for name, entry in ENTRIES.items():
        kind = getattr(seglosses_core, name)
        for field, type_ in types_of(kind).items():
            if float not in (type_, *get_args(type_)):
                continue
            for sample, number in itertools.product(entry.samples, (0.25, 1.5)):
                with contextlib.suppress(TypeError, ValueError):
                    options = {**sample.hyperparameters, field: number}
                    build(seglosses_core, name, options, 1)
                    yield name, field, number, options
                    break


NUMBER_FIELDS = list(number_fields())


@each_package
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_every_type(package, kind):
    losses = PACKAGES[package]
    for name, field, number, options in NUMBER_FIELDS:
        if package == "torch" and name == "CenterLoss":
            options = {**options, "num_classes": 3}
        found = build(losses, name, {**options, field: NUMBERS[kind](number)}, 1)
        assert type(getattr(found, field)) is float
        expected = build(losses, name, options, 1)
        assert core(found) == core(expected)
    if package != "jax":  # which would compile anew
        assert value(package, found) == value(package, expected)


@each_package
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_every_type_in_poolings_and_ensembles(package, kind):
    losses, number = PACKAGES[package], NUMBERS[kind]
    for name, field, x in [("Minkowski", "k", 2.5), ("TopK", "fraction", 0.25),
                           ("HardExampleMining", "threshold", 0.25), ("MaxPooling", "ratio", 0.25),
                           ("MaxPooling", "p", 1.5)]:  # fmt: skip
        found = getattr(losses, name)(**{field: number(x)})
        assert found == getattr(losses, name)(**{field: x})
        assert type(getattr(found, field)) is float
    a, b = losses.DiceLoss(class_axis=1), losses.FocalLoss(class_axis=1)
    expected = core(0.25 * a + 1.5 * b)
    assert core(number(0.25) * a + b * number(1.5)) == expected
    assert core(losses.EnsembleLoss(losses=[a, b], weights=[number(0.25), number(1.5)])) == expected
    options = {"num_classes": 3} if package == "torch" else {}
    assert type(losses.CenterLoss(rate=number(0.25), **options).rate) is float


@each_package
@pytest.mark.parametrize(
    "weights",
    [
        range(1, 4), array.array("d", [1, 2, 3]), collections.deque([1, 2, 3]), Weights(1, Fraction(2), Decimal(3)),
        [np.int8(1), np.float16(2), 3], np.array([1, 2, 3]).tolist(), (1, 2, 3),
    ],
    ids=lambda weights: type(weights).__name__,
)  # fmt: skip
def test_sequences_of_every_type(package, weights):
    losses = PACKAGES[package]
    members = [
        losses.DiceLoss(class_axis=1),
        losses.FocalLoss(class_axis=1),
        losses.JaccardLoss(class_axis=1),
    ]
    for make in (
        lambda given: losses.DiceLoss(class_weights=given, class_axis=1),
        lambda given: losses.FocalLoss(class_weights=given, alpha=given, class_axis=1),
        lambda given: losses.EnsembleLoss(losses=members, weights=given),
    ):
        assert core(make(weights)) == core(make((1, 2, 3)))
    assert losses.DiceLoss(class_weights=weights).class_weights == (1, 2, 3)


@each_package
def test_arrays_of_integers(package):
    losses, make = PACKAGES[package], MAKE[package]
    weights, numbers = make(np.uint8([1, 2, 3])), (1, 2, 3)
    found = losses.FocalLoss(class_weights=weights, alpha=make(np.array(numbers)), class_axis=1)
    expected = losses.FocalLoss(class_weights=numbers, alpha=numbers, class_axis=1)
    assert value(package, found) == pytest.approx(float(value(package, expected)), rel=1e-6)
    members = [losses.PowerDiceLoss(p=make(2), class_axis=1), losses.DiceLoss(class_axis=1)]
    found = losses.EnsembleLoss(losses=members, weights=make([1, 2]))
    expected = losses.EnsembleLoss(losses=members, weights=[1, 2])
    assert value(package, found) == pytest.approx(float(value(package, expected)), rel=1e-6)


class Label(enum.IntEnum):
    VOID = 2


def test_members_of_enumerations_and_integers_of_numpy():
    for label in (Label.VOID, np.uint8(2)):
        loss = seglosses_core.DiceLoss(ignore_index=label)
        assert type(loss.ignore_index) is int
        assert loss == seglosses_core.DiceLoss(ignore_index=2)
    assert (
        seglosses_core.DiceLoss(include_background=np.True_, validate=np.bool_(0))
        == seglosses_core.DiceLoss()
    )


# What is no number per class; the words of the error.
WRONG = {
    "strings": (["a", "b", "c"], "must be a number, got str: 'a'"),
    "a string": ("abc", "must be a (sequence|number).*got .*'?abc'?"),
    "bytes": (b"abc", "must be a (sequence|number).*got .*b'abc'"),
    "complex": ([1j, 1, 1], "must be a number, got complex: 1j"),
    "bools": ([True, False, True], "must be a number, got bool: True"),
    "nested": ([[1, 2, 3]], r"must be a number, got tuple|must have one entry per loss, 3, got 1"),
    "nothing": ([], r"must have one (number|entry) per (class|loss).* got (\(\)|0)"),
    "not finite": ([1.0, float("nan"), 1.0], "must be at least 0.* got nan"),
    "a set": ({1, 2, 3}, "must be a (sequence|number).*got .*{1, 2, 3}"),
    "array of strings": (
        np.array(["a", "b", "c"]),
        "must be real numbers, got (str32|<U1|str).*|got one of numpy",
    ),
    "array of complex": (np.ones(3, complex), r"must be real numbers, got complex(64|128) of shape \(3,\)"),
    "array of bools": (np.ones(3, bool), r"must be real numbers, got bool of shape \(3,\)"),
    "array of dates": (np.zeros(3, "M8[s]"), "must be real numbers, got datetime64|got one of numpy"),
    "array of objects": (np.array([1, 2, None]), "must be real numbers, got object|got one of numpy"),
    "array of two axes": (np.ones((3, 3)), r"(must be 1-dimensional|one entry per loss).*got shape \(3, 3\)"),
    "array of nothing": (np.ones(0), r"(must be 1-dimensional|one entry per loss).*got shape \(0,\)"),
    "array with a mask": (np.ma.ones(3), "must be an array without a mask of its own|got one of numpy"),
}


@each_package
@pytest.mark.parametrize("field", ["class_weights", "alpha", "weights"])
@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_number_per_class_is_refused_in_construction(package, field, case):
    losses, (given, message) = PACKAGES[package], WRONG[case]
    if isinstance(given, np.ndarray) and type(given) is np.ndarray and given.dtype.kind in "bfc":
        given = MAKE[package](given)
    members = [losses.DiceLoss()] * 3
    kind, options = losses.FocalLoss, {}
    if field == "weights":
        kind, options = losses.EnsembleLoss, {"losses": members}
    with pytest.raises((TypeError, ValueError), match=rf"^{field}.*({message})"):
        kind(**options, **{field: given})


@each_package
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones((), bool), "must be real numbers, got bool"),
        (np.ones((), complex), "must be real numbers, got complex(64|128)"),
        (np.ones(3), r"must be a number or a 0-dimensional array, got an array of shape \(3,\)"),
        ("1", "must be a number, got str"),
        (1j, "must be a number, got complex"),
        (np.datetime64("2020"), "must be a number, got date"),
        (np.str_("1"), "must be a number, got str"),
        (np.array("1"), "must be real numbers, got .*str|got one of numpy"),
        (Fraction(10) ** 400, "must be .*, got inf"),
        ([1.5], "must be a number, got tuple"),
    ],
)
def test_what_is_no_number_is_refused_in_construction(package, given, message):
    losses = PACKAGES[package]
    if isinstance(given, np.ndarray) and given.dtype.kind in "bfc":
        given = MAKE[package](given)
    for attempt in (lambda: losses.PowerDiceLoss(p=given), lambda: losses.DiceLoss() * given):
        with pytest.raises((TypeError, ValueError), match=f"^(p|the weight of a loss|weights).*({message})"):
            attempt()


@each_package
def test_an_array_for_an_option_is_refused(package):
    losses = PACKAGES[package]
    for field in ("reduction", "activation", "class_axis", "ignore_index", "validate", "aggregate", "smooth"):
        with pytest.raises((TypeError, ValueError), match=f"^{field} must be"):
            losses.DiceLoss(**{field: MAKE[package](np.ones(3))})


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"class_weights": torch.ones(3)}, "class_weights"),
        ({"alpha": torch.ones(3)}, "alpha"),
        ({"alpha": jnp.ones(3)}, "alpha"),
    ],
)
def test_arrays_of_another_library_are_refused_at_the_call(options, name):
    loss = seglosses_core.FocalLoss(**options)
    for nested in (
        loss,
        seglosses_core.DiceLoss() + loss,
        seglosses_core.LocallyAdaptiveLoss(cost=loss) if name == "alpha" else loss,
    ):
        with pytest.raises(
            TypeError, match=f"^{name} must be a numpy array like the logits, got one of (torch|jax)"
        ):
            nested(LOGITS, LABELS)
    with pytest.raises(TypeError, match=r"^weights must be a numpy array like the logits, got one of torch"):
        (torch.tensor(0.5) * seglosses_core.DiceLoss())(LOGITS, LABELS)


# -- sums -------------------------------------------------------------------------------------------------------------


@each_package
def test_the_sum_of_a_list(package):
    losses = PACKAGES[package]
    a, b, c = losses.DiceLoss(class_axis=1), losses.FocalLoss(class_axis=1), losses.JaccardLoss(class_axis=1)
    total = sum([a, 0.5 * b, c])
    assert isinstance(total, losses.EnsembleLoss)
    assert list(total.losses) == [a, b, c]
    assert value(package, total) == value(package, a + 0.5 * b + c)
    assert sum([a]) is a
    assert 0.0 + a is a
    assert sum([]) == 0


@each_package
@pytest.mark.parametrize("other", [1, -0.5, False, None, "0", 0j, np.zeros(3), np.zeros(()), [0]], ids=repr)
def test_nothing_else_is_added_to_a_loss(package, other):
    loss = PACKAGES[package].DiceLoss()
    with pytest.raises(
        TypeError, match=r"a loss must be added to a loss of its package, or to the 0 of sum\(\), got"
    ):
        other + loss
    with pytest.raises(TypeError, match=r"unsupported operand|does not support ufuncs"):
        loss + other
    with pytest.raises(TypeError):
        MAKE[package](0.0) + loss


# -- equality ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["numpy", "jax"])
def test_losses_with_equal_arrays_are_equal(package):
    losses, make = PACKAGES[package], MAKE[package]

    def some(numbers):
        weights = make(np.float32(numbers))
        return [
            losses.DiceLoss(class_weights=weights),
            losses.FocalLoss(alpha=weights),
            losses.LocallyAdaptiveLoss(cost=losses.FocalLoss(alpha=weights)),
            losses.EnsembleLoss(losses=[losses.DiceLoss()] * 3, weights=weights),
            losses.EnsembleLoss(losses=[losses.DiceLoss()] * 2, weights=[weights[0], 1.0]),
            losses.DiceLoss(class_weights=weights) + losses.FocalLoss(),
            losses.PowerDiceLoss(p=make(np.float32(numbers[0]))),
        ]

    for a, b, c in zip(some([1.0, 2.0, 0.5]), some([1.0, 2.0, 0.5]), some([1.5, 2.0, 0.5]), strict=True):
        assert a == a
        assert a == b
        assert hash(a) == hash(b)
        assert a != c
        assert len({a, b, c}) == 2
        assert a in [c, b]
    for a, b in itertools.combinations(some([1.0, 2.0, 0.5]), 2):
        assert a != b


def test_what_makes_losses_differ():
    weights = np.ones(3)
    loss = seglosses_core.DiceLoss(class_weights=weights)
    for other in (
        seglosses_core.JaccardLoss(class_weights=weights),
        seglosses_core.DiceLoss(class_weights=weights, smooth=1.0),
        seglosses_core.DiceLoss(class_weights=weights.astype(np.float32)),
        seglosses_core.DiceLoss(class_weights=np.ones(4)),
        seglosses_core.DiceLoss(class_weights=torch.ones(3, dtype=torch.float64)),
        seglosses_core.DiceLoss(class_weights=(1.0, 1.0, 1.0)),
        seglosses_jax.DiceLoss(class_weights=weights, class_axis=1),
        "DiceLoss",
    ):
        assert loss != other
        assert other != loss
    assert all(f.name in seglosses_core.DiceLoss().hyperparameters() for f in fields(seglosses_core.DiceLoss))


@pytest.mark.parametrize("losses", [seglosses_core, seglosses_jax], ids=["core", "jax"])
def test_equality_of_losses_with_tracers(losses):
    @jax.jit
    def compare(w, v):
        a, b = losses.DiceLoss(class_weights=w), losses.DiceLoss(class_weights=v)
        assert a == a
        assert a == losses.DiceLoss(class_weights=w)
        assert a != b
        assert hash(a) == hash(b)
        return w

    compare(jnp.ones(3), jnp.ones(3))
    jax.vmap(compare)(jnp.ones((2, 3)), jnp.ones((2, 3)))


def test_a_loss_with_arrays_is_a_static_argument():
    traces = []

    def call(loss, z):
        traces.append(loss)
        return z

    compiled = jax.jit(call, static_argnums=0)
    for weights in ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]):
        cost = seglosses_jax.FocalLoss(alpha=jnp.asarray(weights))
        compiled(seglosses_jax.LocallyAdaptiveLoss(cost=cost), jnp.ones(()))
    assert len(traces) == 2
    compiled = jax.jit(call)
    for weights in ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]):
        cost = seglosses_jax.FocalLoss(alpha=np.asarray(weights))
        compiled(seglosses_jax.LocallyAdaptiveLoss(cost=cost), jnp.ones(()))
    assert len(traces) == 3

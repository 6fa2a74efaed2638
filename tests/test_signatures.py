"""What constructors say that they take: configuration tools, editors and documentation read no more than that."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal

import jax
import numpy as np
import pytest
import torch
from torch import nn

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.losses import ENTRIES
from seglosses_core.activations import ACTIVATIONS

PACKAGES = (seglosses_core, seglosses_torch, seglosses_jax, seglosses_keras)
OWN = {
    seglosses_torch: {"CenterLoss": {"num_classes", "num_features"}},
    seglosses_keras: {"CenterLoss": {"num_classes", "num_features", "name", "dtype"}},
}
"""What a package takes beside the core's hyper-parameters."""

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
each_loss = pytest.mark.parametrize("name", [kind.__name__ for kind in seglosses_core.LOSSES])


def parameters(package: Any, name: str) -> dict[str, inspect.Parameter]:
    """Those of the class's own `__init__`."""
    found = dict(inspect.signature(vars(getattr(package, name))["__init__"]).parameters)
    assert found.pop("self")
    return found


@each_package
@each_loss
def test_every_class_has_a_constructor_of_its_own(package: Any, name: str) -> None:
    taken = parameters(package, name)
    core = {field.name for field in fields(getattr(seglosses_core, name))}
    common = set() if package is not seglosses_keras else {"name", "dtype"}
    if common and name != "EnsembleLoss":
        common.add("across_replicas")
    assert set(taken) == core | OWN.get(package, {}).get(name, common)
    assert {parameter.kind for parameter in taken.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert list(inspect.signature(getattr(package, name)).parameters) == list(taken)


@each_package
@each_loss
def test_annotations_are_types(package: Any, name: str) -> None:
    kind = getattr(package, name)
    hints = typing.get_type_hints(kind.__init__)
    taken = parameters(package, name)
    assert set(hints) == {*taken, "return"}
    for parameter in taken.values():
        assert hints[parameter.name] == parameter.annotation
        assert not isinstance(parameter.annotation, str)
        if isinstance(parameter.default, str):
            assert parameter.default in words(parameter.annotation)


def words(annotation: Any) -> set[str]:
    """The words that an option may be."""
    if typing.get_origin(annotation) is Literal:
        return set(typing.get_args(annotation))
    return {word for part in typing.get_args(annotation) for word in words(part)}


@each_package
@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "EnsembleLoss"])
def test_a_loss_takes_the_words_that_it_says_and_no_others(package: Any, name: str) -> None:
    kind, sample = getattr(package, name), ENTRIES[name].samples[0].hyperparameters
    given = {"num_classes": 3} if "num_classes" in parameters(package, name) else {}
    for option, parameter in parameters(package, name).items():
        for word in words(parameter.annotation):
            try:
                kind(**{**given, **sample, option: word})
            except (TypeError, ValueError) as error:  # of a loss that does not have all that the others have
                assert "one of" not in str(error)  # noqa: PT017
        if words(parameter.annotation):
            with pytest.raises(ValueError, match=f"^{option} must be"):
                kind(**{**given, **sample, option: "sofmax"})


@each_package
def test_a_loss_can_be_made_of_its_defaults(package: Any) -> None:
    """As configuration tools do, which pass on what they find in a signature."""
    for name in ("LocallyAdaptiveLoss", "BlobLoss", "DiceLoss", "FocalLoss"):
        kind = getattr(package, name)
        defaults = {p.name: p.default for p in parameters(package, name).values()}
        if package in (seglosses_core, seglosses_jax):  # a dataclass, which these tools know
            defaults = {k: x for k, x in defaults.items() if k not in ("cost", "reduction")}
        assert repr(kind(**defaults)) == repr(kind())


def test_types_are_those_of_the_package() -> None:
    array, module = torch.Tensor, nn.Module
    found = typing.get_type_hints(seglosses_torch.EnsembleLoss.__init__)
    assert found["weights"] == Sequence[float | array | module] | array | module | None
    assert found["losses"] == Sequence[seglosses_torch.TorchLoss]
    assert (
        typing.get_type_hints(seglosses_torch.BlobLoss.__init__)["loss"] == seglosses_torch.TorchLoss | None
    )
    found = typing.get_type_hints(seglosses_jax.FocalLoss.__init__)
    assert found["alpha"] == float | Sequence[float] | jax.Array | np.ndarray | None
    assert typing.get_type_hints(seglosses_jax.BlobLoss.__init__)["loss"] is seglosses_jax.JaxLoss
    assert "mean_with_sample_weight" in words(
        typing.get_type_hints(seglosses_keras.DiceLoss.__init__)["reduction"]
    )
    assert words(typing.get_type_hints(seglosses_core.DiceLoss.__init__)["activation"]) == set(ACTIVATIONS)


@each_package
def test_the_loss_of_several_outputs_and_poolings(package: Any) -> None:
    hints = typing.get_type_hints(package.DeepSupervisionLoss.__init__)
    assert words(hints["weights"]) == {"exponential", "same", "two", "nnunet"}
    for pooling in seglosses_core.POOLINGS:
        assert set(typing.get_type_hints(pooling.__init__)) == {*vars(pooling()), "return"}

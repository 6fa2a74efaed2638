"""What learns or remembers, as layers: Keras tracks the variables of a layer, not those of a loss."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal, get_args

import keras
import numpy as np
from keras import ops

from seglosses_core import CenterLoss as CoreCenterLoss
from seglosses_core.checks import check_choice, check_integer, check_number, python_number
from seglosses_core.hyperparameters import replace
from seglosses_core.loss import Loss
from seglosses_core.signatures import keyword, known_to_take
from seglosses_keras.arguments import as_target, as_tensor
from seglosses_keras.backends import evaluate
from seglosses_keras.loss import (
    KerasLoss,
    add_attributes,
    from_config,
    parameters,
    to_config,
    to_core,
)

Learnt = Literal["p", "weights"]


@keras.saving.register_keras_serializable(package="seglosses")
class LearnableLoss(keras.layers.Layer):
    """Adds a loss to the model and learns one of its hyper-parameters with the model's weights.

        logits = LearnableLoss(PowerJaccardLoss(p=1.5), learn="p")([labels, logits])

    The layer gives back the logits; the model takes the labels as an input and is compiled without a loss.

    Parameters
    ----------
    loss : loss of this package
    learn : "p" or "weights"
        The power of a power loss, kept in [1, 2] by `1 + sigmoid(raw)`, or the weights of an ensemble, positive with
        sum 1 by `softmax(raw)`. It starts at the loss's own value; the weights at those divided by their sum.
    """

    def __init__(self, loss: KerasLoss, learn: Learnt = "p", **options: Any) -> None:
        super().__init__(**{"autocast": False, **options})
        check_choice("learn", learn, get_args(Learnt))
        if not isinstance(loss, KerasLoss) or not hasattr(loss.core, learn):
            raise TypeError(f"loss must be a loss of seglosses_keras with {learn!r}, got {loss!r}.")
        if loss.core.reduction == "none":
            raise ValueError(f"loss must be one number, got {loss!r} with reduction='none'.")
        self.loss, self.learn = loss, learn
        initial = np.asarray(getattr(loss.core, learn), dtype="float32")
        if learn == "p":
            check_number("p", float(initial), above=1, below=2)
            raw = np.log(initial - 1) - np.log(2 - initial)
        else:
            for i, weight in enumerate(initial):
                check_number(f"weights[{i}]", float(weight), above=0)
            raw = np.log(initial)
        self.raw = self.add_weight(
            name=f"raw_{learn}",
            shape=raw.shape,
            dtype="float32",
            autocast=False,
            initializer=lambda shape, dtype: ops.convert_to_tensor(raw, dtype),
        )

    @property
    def value(self) -> Any:
        """The present value of what is learnt."""
        raw = ops.convert_to_tensor(self.raw)
        return 1 + ops.sigmoid(raw) if self.learn == "p" else ops.softmax(raw)

    def call(self, inputs: Any) -> Any:
        target, logits = inputs
        core = replace(self.loss.bound(), **{self.learn: self.value})
        self.add_loss(evaluate(core, logits, as_target(target, logits, core), None, None))
        return logits

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": to_config(self.loss), "learn": self.learn}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearnableLoss:
        return cls(**{**config, "loss": from_config(config["loss"])})


class CenterLoss(keras.layers.Layer):
    __doc__ = f"""{(CoreCenterLoss.__doc__ or "").partition("    Examples")[0].rstrip()}
    num_classes : int
        C, the number of centres.
    num_features : int, optional
        D, the length of a centre: that of the features, or C where the logits are the features.

    A layer, called with `[labels, logits]` or `[labels, logits, features]`: it adds the loss to the model and gives
    back the logits. In training each call moves the centres, the non-trainable weight `centers`, after it has computed
    the loss; not under a distribution strategy, where TensorFlow raises.
    """

    core_class: type[Loss] = CoreCenterLoss
    kept: ClassVar[dict[str, Any]] = {}

    @known_to_take(
        [
            keyword("num_classes", int),
            keyword("num_features", int | None, None),
            *parameters(CoreCenterLoss),
        ]
    )
    def __init__(
        self,
        *,
        num_classes: int,
        num_features: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **hyperparameters: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, autocast=False)
        check_integer("num_classes", num_classes, at_least=2)
        if num_features is not None:
            check_integer("num_features", num_features, at_least=1)
        self.num_classes, self.num_features = num_classes, num_features
        given = {"class_axis": -1, **hyperparameters}
        self.core = CoreCenterLoss(
            **{key: to_core(key, python_number(value)) for key, value in given.items()}
        )
        if self.core.reduction == "none":
            raise ValueError(
                "reduction must give one number for a layer that adds it to the model, got 'none'."
            )
        self.centers = self.add_weight(
            name="centers",
            shape=(num_classes, num_features or num_classes),
            dtype="float32",
            autocast=False,
            initializer="zeros",
            trainable=False,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        target, logits, *rest = inputs
        logits = as_tensor("logits", logits)
        target = as_target(target, logits, self.core)
        given = {
            # A copy, for torch must not find its input changed after the step.
            "centers": ops.stop_gradient(ops.copy(self.centers)),
            "features": rest[0] if rest else None,
        }
        self.add_loss(evaluate(self.core, logits, target, None, None, **given))
        if training:
            given = {name: x if x is None else ops.stop_gradient(x) for name, x in given.items()}
            self.centers.assign(self.core.updated_centers(ops.stop_gradient(logits), target, **given))
        return logits

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[1]

    def get_config(self) -> dict[str, Any]:
        hyperparameters = {
            field.name: to_config(getattr(self, field.name)) for field in dataclasses.fields(self.core)
        }
        own = {"num_classes": self.num_classes, "num_features": self.num_features}
        return {"name": self.name, "dtype": self.dtype_policy.name, **own, **hyperparameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CenterLoss:
        return cls(**{key: from_config(value) for key, value in config.items()})


add_attributes(CenterLoss, CoreCenterLoss)
CenterLoss.__module__ = "seglosses_keras"
keras.saving.register_keras_serializable(package="seglosses")(CenterLoss)

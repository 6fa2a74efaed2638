"""From logits to probabilities and back: a class for each activation; an adapter brings its own (`Ops.activation`)."""

from typing import Literal

from seglosses_core.activations.identity import Identity
from seglosses_core.activations.prediction import Cotangent, Prediction, Side
from seglosses_core.activations.sigmoid import Sigmoid
from seglosses_core.activations.softmax import Softmax

Activation = Literal["softmax", "sigmoid", "identity"]
ACTIVATIONS: dict[str, type[Prediction]] = {"softmax": Softmax, "sigmoid": Sigmoid, "identity": Identity}

__all__ = ["ACTIVATIONS", "Activation", "Cotangent", "Identity", "Prediction", "Side", "Sigmoid", "Softmax"]

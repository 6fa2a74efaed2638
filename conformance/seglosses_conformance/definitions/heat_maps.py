"""What the losses of heat maps are asked beyond what all are."""

from __future__ import annotations

from .arrays import BINARY_LABELS, BINARY_LOGITS, HEAT_LOGITS, HEAT_MAP, SAMPLE_WEIGHT, SOFT, masked
from .definition import Definition, case


def of_heat_maps() -> list[Definition]:
    """Every weight, labels of one class, and a prediction that is right."""
    return [
        case(
            "heat-map-weights",
            "Sigmoid against heat maps, with every weight.",
            flags="sigmoid soft heat-map class-weights mask sample-weight",
            activation="sigmoid",
            class_weights=[0.5, 2.0],
            **masked(HEAT_LOGITS, target=HEAT_MAP),
            sample_weight=SAMPLE_WEIGHT,
        ),
        case(
            "one-class",
            "One class with labels, as it comes.",
            flags="identity one-class",
            logits=BINARY_LOGITS,
            target=BINARY_LABELS,
        ),
        case("equal", "Prediction and target agree exactly.", flags="perfect soft", logits=SOFT, target=SOFT),
    ]

"""Dice, or Jaccard, with a factor on the overlap and a power on the prediction in it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import EPSILON, FOUR_PIXELS, TWO_OF_FOUR, family, worked
from ..entries import Entry, Override, Sample, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total

SOURCE = "Deora, PointWise-Exponential-Loss, README"


def pointwise_exponential(
    cells: list[Cell], smooth: Any, alpha: float = 20.0, exponent: float = 3.0, denominator: str = "sum"
) -> tuple[Any, Any]:
    """1 − α Σ p^n g / (Σ p + Σ g + ε), or with (Σ pg + Σ p(1 − g) + Σ (1 − p)g + ε) for "union"."""
    powered = total(cell.w * cell.p**exponent * cell.y for cell in cells)
    if denominator == "sum":
        size = total(cell.w * cell.p for cell in cells) + total(cell.w * cell.y for cell in cells)
    else:
        size = (
            total(cell.w * cell.p * cell.y for cell in cells)
            + total(cell.w * cell.p * (1 - cell.y) for cell in cells)
            + total(cell.w * (1 - cell.p) * cell.y for cell in cells)
        )
    return mpf(alpha) * powered, size + smooth


# Of the worked example. The slope of 1 − 20 Σ ŷ³y / d by ŷ is −60 ŷ²y/d + 20 · 9/8 / d².
D, UNION = Fraction(17, 4) + EPSILON, Fraction(11, 4) + EPSILON
P_AND_Y = [(Fraction(1, 2), 1), (Fraction(1), 1), (Fraction(1, 4), 0), (Fraction(1, 2), 0)]

ENTRY = Entry(
    loss="PointwiseExponentialLoss",
    source=SOURCE,
    oracle=RatioOfSums(pointwise_exponential),
    prefix="pointwise",
    cases=[
        worked(
            "Σ ŷ³y = 9/8, 1 − 20 · 9/8 / (17/4 + ε).",
            float(1 - 20 * Fraction(9, 8) / D),
            source=f"{SOURCE}, the vectorised form",
            gradient_by_hand=[float(-60 * p**2 * y / D + Fraction(45, 2) / D**2) for p, y in P_AND_Y],
        ),
        case(
            "worked-union",
            "The same four pixels, Σ ŷ³y = 9/8, 1 − 20 · 9/8 / (11/4 + ε).",
            source=f"{SOURCE}, the summed form",
            flags="worked identity one-class",
            activation="identity",
            denominator="union",
            logits=FOUR_PIXELS,
            target=TWO_OF_FOUR,
            value_by_hand=float(1 - 20 * Fraction(9, 8) / UNION),
        ),
        *family(),
        case("vectorised", "The vectorised form, soft targets.", denominator="sum", target=SOFT),
        case("union", "The summed form, soft targets.", denominator="union", target=SOFT),
        case("dice", "α = 2, n = 1, ε = 0: Dice.", alpha=2.0, exponent=1.0, smooth=0.0, target=SOFT),
        case(
            "jaccard",
            "α = 1, n = 1, ε = 0 over the union: Jaccard.",
            alpha=1.0,
            exponent=1.0,
            smooth=0.0,
            denominator="union",
            target=SOFT,
        ),
        case("root", "n = 1.5.", exponent=1.5, alpha=4.0, target=SOFT),
    ],
    samples=(Sample(), Sample({"denominator": "union", "exponent": 2.5})),
    bounds=(-19, 1),
    refuses=(
        refusal(ValueError, "alpha", "got 0", "above 0", alpha=0),
        refusal(ValueError, "exponent", "got 0.5", "at least 1", exponent=0.5),
        refusal(ValueError, "denominator", "got 'product'", "'sum', 'union'", denominator="product"),
    ),
    value_fault=other(denominator="union"),
    gradient_fault=lambda g: g / g.shape[0],
    overrides=(
        Override(
            "wrong",
            target="formula",
            gradient_scale=1e-8,
            reason="autodiff of a softmax takes differences of terms of the size of p; the hand-written way back does"
            " not",
        ),
    ),
)

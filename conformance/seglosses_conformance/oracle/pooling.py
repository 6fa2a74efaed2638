"""How the costs of a map become one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from mpmath import floor, log, mp, mpf, nint

from .tape import plain


@dataclass
class Term:
    """One number of a map: where it stands, what it costs, how much it counts, and the target if of one class only."""

    index: int
    cost: Any
    weight: Any
    target: Any = None


def pool(terms: Sequence[Term], reduction: Any, shape: Sequence[int]) -> Any:
    """Reduce the valid terms of a map of `shape`; 0 if there are none. "none": the weighted costs, 0 elsewhere."""
    if reduction == "none":
        flat = [mpf(0)] * prod(shape)
        for term in terms:
            flat[term.index] = term.weight * term.cost
        return flat
    if not terms:
        return mpf(0)
    if isinstance(reduction, str):
        return {"mean": mean, "sum": weighted_sum}[reduction](terms)
    options = {name: value for name, value in reduction.items() if name not in ("pooling", "per_image")}
    if reduction.get("per_image"):
        options["size"] = prod(shape[1:])
    pooling = POOLINGS[reduction["pooling"]]
    return pooling(terms, **options)


def weighted_sum(terms: Sequence[Term]) -> Any:
    """Σ ω ℓ"""
    return sum(term.weight * term.cost for term in terms)


def mean(terms: Sequence[Term]) -> Any:
    """Σ ω ℓ / Σ ω"""
    return weighted_sum(terms) / sum(term.weight for term in terms)


def minkowski(terms: Sequence[Term], k: float = 3.0) -> Any:
    """((1/M) Σ ℓ^k)^(1/k) (Guo et al. 2018), weights in the place of 1/M: (Σ ω ℓ^k / Σ ω)^(1/k).

    If all costs are 0 it is 0, and has no slope.
    """
    power_mean = mean([Term(term.index, term.cost**k, term.weight) for term in terms])
    return power_mean ** (1 / mpf(k)) if plain(power_mean) > 0 else mpf(0)


def top_k(terms: Sequence[Term], fraction: float = 0.1) -> Any:
    """Σ ω ℓ / Σ ω over the K largest costs, K = max(1, ⌊fraction · M⌋). Ties for the last places share them equally.

    A product up to 1e-5 (relative) below an integer counts as that integer, as it would without its rounding.
    """
    wanted = mpf(fraction) * len(terms)
    nearest = nint(wanted)
    places = max(1, int(nearest if nearest - wanted <= mpf("1e-5") * nearest else floor(wanted)))
    return mean(costliest(terms, places))


def costliest(terms: Sequence[Term], places: int) -> list[Term]:
    """The terms of the largest costs, so many as there are places; where they tie for the last, a part of each."""
    if len(terms) <= places:
        return list(terms)
    costs = sorted((plain(term.cost) for term in terms), reverse=True)
    last = costs[places - 1]
    if any(0 < abs(cost - last) < last / 10_000 for cost in costs):
        raise ValueError(
            "costs that almost tie for the last place: rounding would decide, choose other inputs"
        )
    above = sum(cost > last for cost in costs)
    share = mpf(places - above) / costs.count(last)
    tied = [replace(term, weight=share * term.weight) for term in terms if plain(term.cost) == last]
    return [term for term in terms if plain(term.cost) > last] + tied


def max_pooling(terms: Sequence[Term], ratio: float = 0.3, p: float = 1.7) -> Any:
    """max_v Σ v_u ℓ_u over v ≥ 0, ‖v‖_p ≤ n^(−1/q), v ≤ τ = n^(−1/q) m^(−1/p) (Rota Bulò et al. 2017).

    n = M, m = ratio · n, q = p/(p − 1); a pixel of weight ω costs ℓ ω M / Σ ω. The optimum is
    v_u = min(τ, a ℓ_u^(1/(p−1))), and since it is one, v is constant in the slope (envelope theorem).
    """
    n, p = len(terms), mpf(p)
    m, q = mpf(ratio) * n, p / (p - 1)
    radius, bound = mpf(n) ** (-1 / q), mpf(n) ** (-1 / q) * m ** (-1 / p)
    total = sum(term.weight for term in terms)
    costs = sorted(
        (term.cost * (term.weight * n / total) for term in terms if plain(term.cost) > 0),
        key=plain,
        reverse=True,
    )
    # The largest costs stand at the bound, as few of them as leave the others, which use up the norm, below it.
    for capped in range(len(costs) + 1):
        rest = costs[capped:]
        if not rest or len(costs) <= m:
            return bound * sum(costs)
        left = radius**p * (1 - capped / m)
        a = (left / sum(plain(cost) ** q for cost in rest)) ** (1 / p)
        if a * plain(rest[0]) ** (1 / (p - 1)) <= bound:
            return bound * sum(costs[:capped]) + sum(a * plain(cost) ** (1 / (p - 1)) * cost for cost in rest)
    raise AssertionError("unreachable")


def hard_example_mining(
    terms: Sequence[Term],
    min_kept: int = 100_000,
    threshold: float | None = 0.7,
    cost_threshold: float | None = None,
    size: int | None = None,
) -> Any:
    """Σ ω ℓ / Σ ω over the costs above −log(threshold), and in any case over the `min_kept` largest; of each image if
    one has `size` entries."""
    limit = mp.inf
    if threshold is not None or cost_threshold is not None:
        limit = mpf(cost_threshold) if threshold is None else -log(mpf(threshold))
    images: dict[int, list[Term]] = {}
    for term in terms:
        images.setdefault(0 if size is None else term.index // size, []).append(term)
    kept = []
    for image in images.values():
        above = [term for term in image if plain(term.cost) > limit]
        kept += above if len(above) >= min_kept else costliest(image, min_kept)
    return mean(kept)


POOLINGS: dict[str, Callable[..., Any]] = {
    "Minkowski": minkowski,
    "MaxPooling": max_pooling,
    "TopK": top_k,
    "HardExampleMining": hard_example_mining,
}

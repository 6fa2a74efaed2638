"""How the costs of a map become one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from mpmath import floor, mpf, nint

from .tape import plain


@dataclass
class Entry:
    """One number of a map: where it stands, what it costs, how much it counts, and the target if of one class only."""

    index: int
    cost: Any
    weight: Any
    target: Any = None


def pool(entries: Sequence[Entry], reduction: Any, shape: Sequence[int]) -> Any:
    """Reduce the valid entries of a map of `shape`; 0 if there are none. "none": the weighted costs, 0 elsewhere."""
    if reduction == "none":
        flat = [mpf(0)] * prod(shape)
        for entry in entries:
            flat[entry.index] = entry.weight * entry.cost
        return flat
    if not entries:
        return mpf(0)
    if isinstance(reduction, str):
        return {"mean": mean, "sum": weighted_sum}[reduction](entries)
    options = {name: value for name, value in reduction.items() if name != "pooling"}
    pooling = POOLINGS[reduction["pooling"]]
    return pooling(entries, **options)


def weighted_sum(entries: Sequence[Entry]) -> Any:
    """Σ ω ℓ"""
    return sum(entry.weight * entry.cost for entry in entries)


def mean(entries: Sequence[Entry]) -> Any:
    """Σ ω ℓ / Σ ω"""
    return weighted_sum(entries) / sum(entry.weight for entry in entries)


def minkowski(entries: Sequence[Entry], k: float = 3.0) -> Any:
    """((1/M) Σ ℓ^k)^(1/k) (B), weights in the place of 1/M: (Σ ω ℓ^k / Σ ω)^(1/k). All costs 0: 0, and no slope."""
    power_mean = mean([Entry(entry.index, entry.cost**k, entry.weight) for entry in entries])
    return power_mean ** (1 / mpf(k)) if plain(power_mean) > 0 else mpf(0)


def top_k(entries: Sequence[Entry], fraction: float = 0.1) -> Any:
    """Σ ω ℓ / Σ ω over the K largest costs, K = max(1, ⌊fraction · M⌋). Ties for the last places share them equally.

    A product up to 1e-5 (relative) below an integer counts as that integer, as it would without its rounding.
    """
    wanted = mpf(fraction) * len(entries)
    nearest = nint(wanted)
    places = max(1, int(nearest if nearest - wanted <= mpf("1e-5") * nearest else floor(wanted)))

    costs = sorted((plain(entry.cost) for entry in entries), reverse=True)
    last = costs[places - 1]
    if any(0 < abs(cost - last) < last / 10_000 for cost in costs):
        raise ValueError(
            "costs that almost tie for the last place: rounding would decide, choose other inputs"
        )
    above = sum(cost > last for cost in costs)
    share = mpf(places - above) / costs.count(last)
    chosen = [(entry, mpf(1)) for entry in entries if plain(entry.cost) > last]
    chosen += [(entry, share) for entry in entries if plain(entry.cost) == last]
    return sum(part * entry.weight * entry.cost for entry, part in chosen) / sum(
        part * entry.weight for entry, part in chosen
    )


def max_pooling(entries: Sequence[Entry], ratio: float = 0.3, p: float = 1.7) -> Any:
    """max_v Σ v_u ℓ_u over v ≥ 0, ‖v‖_p ≤ n^(−1/q), v ≤ τ = n^(−1/q) m^(−1/p) (Rota Bulò et al. 2017).

    n = M, m = ratio · n, q = p/(p − 1); a pixel of weight ω costs ℓ ω M / Σ ω. The optimum is
    v_u = min(τ, a ℓ_u^(1/(p−1))), and since it is one, v is constant in the slope (envelope theorem).
    """
    n, p = len(entries), mpf(p)
    m, q = mpf(ratio) * n, p / (p - 1)
    radius, bound = mpf(n) ** (-1 / q), mpf(n) ** (-1 / q) * m ** (-1 / p)
    total = sum(entry.weight for entry in entries)
    costs = sorted(
        (entry.cost * (entry.weight * n / total) for entry in entries if plain(entry.cost) > 0),
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


POOLINGS: dict[str, Callable[..., Any]] = {
    "Minkowski": minkowski,
    "MaxPooling": max_pooling,
    "TopK": top_k,
}

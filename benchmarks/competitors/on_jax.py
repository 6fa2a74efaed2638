"""JAX under jit, class axis last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import seglosses_jax
from benchmarks.cases import ALPHA, GAMMA, PIXEL_LOSSES, SMOOTH, TVERSKY, Case, ours
from benchmarks.competitors import DICE_ALONE, LIMIT, OURS, PLAIN, Competitor, Differs
from benchmarks.competitors.plain import Names, formula

Array = jax.Array


def of_seglosses(case: Case, loss: str) -> Competitor:
    return Competitor(ours(seglosses_jax, case, loss))


def dice_alone(case: Case, loss: str) -> Competitor | None:
    return of_seglosses(case, "dice") if loss == "dice_cross_entropy" else None


def _windows(x: Array, size: int) -> Array:
    _, height, width, _ = x.shape
    radius = size // 2
    padded = jnp.pad(x, ((0, 0), (radius, radius), (radius, radius), (0, 0)))
    places = [(i, j) for i in range(size) for j in range(size)]
    return jnp.stack([padded[:, i : i + height, j : j + width] for i, j in places], axis=-2)


NAMES = Names(
    axis=-1,
    softmax=jax.nn.softmax,
    log_softmax=jax.nn.log_softmax,
    sigmoid=jax.nn.sigmoid,
    log_sigmoid=jax.nn.log_sigmoid,
    one_hot=lambda y, z: jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype),
    sum=jnp.sum,
    mean=jnp.mean,
    expand=jnp.expand_dims,
    windows=_windows,
    like=lambda x, z: jnp.asarray(x, z.dtype),
)


def plain(case: Case, loss: str) -> Competitor | None:
    function = formula(NAMES, case, loss)
    return Competitor(function) if function else None


def of_optax(case: Case, loss: str) -> Competitor | None:
    """Its Dice takes one-hot targets, which are made under jit."""
    if loss == "cross_entropy":
        if case.binary:
            return Competitor(lambda z, y: optax.sigmoid_binary_cross_entropy(z, y).mean())
        return Competitor(lambda z, y: optax.softmax_cross_entropy_with_integer_labels(z, y).mean())
    if loss == "focal":
        if case.binary:
            return Competitor(lambda z, y: optax.sigmoid_focal_loss(z, y, alpha=ALPHA, gamma=GAMMA).mean())
        raise Differs("its focal loss is that of overlapping classes, by sigmoid")
    # 1 − (I + s) / (I + α FP + β FN + s)
    given: dict[str, dict[str, Any]] = {
        "dice": {"smooth": SMOOTH / 2},
        "dice_cross_entropy": {"smooth": SMOOTH / 2},
        "jaccard": {"smooth": SMOOTH, "alpha": 1.0, "beta": 1.0},
        "tversky": {"smooth": SMOOTH, **TVERSKY},
    }
    if loss not in given:
        return None

    def region(z: Array, y: Array) -> Array:
        return optax.losses.dice_loss(z, y if case.binary else NAMES.one_hot(y, z), **given[loss]).mean()

    if loss == "dice_cross_entropy":
        losses = optax.losses
        entropy: Any = losses.sigmoid_binary_cross_entropy
        if not case.binary:
            entropy = losses.softmax_cross_entropy_with_integer_labels
        return Competitor(lambda z, y: region(z, y) + entropy(z, y).mean())
    return Competitor(region)


def limit(case: Case, loss: str) -> Competitor:
    if loss in PIXEL_LOSSES:
        return Competitor(lambda z, y: z + 1)
    return Competitor(lambda z, y: z + jnp.sum(z))


LIBRARIES: dict[str, Callable[[Case, str], Competitor | None]] = {
    OURS: of_seglosses,
    DICE_ALONE: dice_alone,
    PLAIN: plain,
    "optax": of_optax,
    LIMIT: limit,
}


class Runner:
    """Logits and a target in JAX, and a compiled function of them with its gradient."""

    def __init__(
        self,
        competitor: Competitor,
        case: Case,
        logits: np.ndarray,
        target: np.ndarray,
        *,
        mode: str,
        device: str,
        differentiate: bool,
    ) -> None:
        self.place = jax.devices("gpu" if device == "cuda" else device)[0]
        last = jnp.array(np.moveaxis(logits, 1, -1), case.dtype)
        form = np.moveaxis(target, 1, -1) if target.ndim == logits.ndim else target
        given = jnp.array(form, case.dtype if target.dtype == np.float32 else np.int32)
        self.given = jax.device_put((last, given), self.place)
        function = competitor.function
        self.compiled = (
            jax.jit(jax.value_and_grad(function) if differentiate else lambda z, y: (function(z, y),) * 2)
            .lower(*self.given)
            .compile()
        )

    def evaluate(self) -> Any:
        return self.compiled(*self.given)

    def wait(self, result: Any) -> None:
        jax.block_until_ready(result)

    def numpy(self, result: Any) -> tuple[float, np.ndarray]:
        return float(result[0]), np.asarray(result[1], np.float32)

    def peak(self) -> tuple[int, str]:
        planned = self.compiled.memory_analysis()
        assert planned is not None
        return planned.temp_size_in_bytes, "XLA temporaries"

    def about(self) -> dict[str, Any]:
        return {"device": "" if self.place.platform == "cpu" else self.place.device_kind}

"""Who hunts a NaN in a network has JAX or TensorFlow stop at the first one: none is made here that is not there."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import numpy as np
import pytest
import tensorflow as tf
from everywhere import ALL, SAMPLES, Problem, evaluate, named, takes

RNG = np.random.default_rng(11)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
SOFT = np.moveaxis(RNG.dirichlet(np.ones(3), size=(2, 4, 5)), -1, 1).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))
MASK = RNG.integers(0, 3, size=(2, 4, 5)).astype(np.float32)


@pytest.fixture
def _jax_stops() -> Iterator[None]:
    with jax.debug_nans(True), jax.debug_infs(True):
        yield


@pytest.fixture
def _tensorflow_stops() -> Iterator[None]:
    tf.debugging.enable_check_numerics()
    yield
    tf.debugging.disable_check_numerics()


def call_all(framework: str, loss: str) -> None:
    make = ALL[loss]
    evaluate(framework, make, Problem(LOGITS, LABELS, MASK), ignore_index=0)
    if takes(loss, "soft"):
        evaluate(framework, make, Problem(LOGITS, SOFT, MASK, np.array([1.0, 0.5], dtype=np.float32)))
    if "identity" in SAMPLES[loss][1].activations:
        evaluate(framework, make, Problem(SOFT, LABELS), activation="identity")


@pytest.mark.usefixtures("_jax_stops")
@pytest.mark.sampled(5)
@pytest.mark.parametrize("loss", ALL)
def test_jax(loss: str) -> None:
    call_all("jax", loss)


@pytest.mark.usefixtures("_tensorflow_stops")
@pytest.mark.sampled(5)
@pytest.mark.parametrize("loss", ALL)
def test_tensorflow(loss: str) -> None:
    call_all("tensorflow", loss)


@pytest.mark.usefixtures("_jax_stops")
def test_a_nan_that_is_there_stops_it() -> None:
    with pytest.raises(FloatingPointError):
        evaluate("jax", named("DiceLoss"), Problem(LOGITS, LABELS + 1))

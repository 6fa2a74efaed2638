"""How heat maps are drawn with each library, and what of."""

from __future__ import annotations

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import torch
from traceable import traceable

from seglosses_core.heatmaps import gaussian_heatmap

POINTS = np.float32([[[1, 1], [2, 0]]])
LABELS = np.array([[0, 1]])
ONES = np.ones((1, 2), np.float32)


def numpy_run(function, arrays, options):
    return function(*arrays.values(), **options)


def strict_run(function, arrays, options):
    arrays = [array_api_strict.asarray(x) for x in arrays.values()]
    with traceable():
        result = function(*arrays, **options)
    return np.asarray(result)


def torch_run(function, arrays, options):
    result = function(*(torch.asarray(x) for x in arrays.values()), **options)
    assert isinstance(result, torch.Tensor)
    return result.numpy()


def jax_run(function, arrays, options):
    result = jax.jit(lambda *x: function(*x, **options))(*(jnp.asarray(x) for x in arrays.values()))
    assert isinstance(result, jax.Array)
    return np.asarray(result)


RUNS = {"numpy": numpy_run, "array-api-strict": strict_run, "torch": torch_run, "jax": jax_run}


def points_heatmap(names, shape, **options):
    """`gaussian_heatmap` as a function of the arrays alone, in the order of `names`."""

    def function(*arrays):
        return gaussian_heatmap(shape=shape, **dict(zip(names, arrays, strict=True)), **options)

    return function


def draw(run, shape, *, points, labels, num_classes, class_axis=1, **spread_and_valid):
    """`gaussian_heatmap` with everything that is an array passed as one of the library."""
    arrays = {"points": points, "labels": labels}
    options = {"num_classes": num_classes, "class_axis": class_axis}
    for name, value in spread_and_valid.items():
        (arrays if isinstance(value, np.ndarray) else options)[name] = value
    return run(points_heatmap(tuple(arrays), shape, **options), {}, **arrays)

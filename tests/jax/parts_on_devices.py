"""Losses over two devices, run by `test_jax_parts.py` in a process of its own: `python parts_on_devices.py FILE WHAT`.

What is found, and what one device finds with the whole batch, is written to FILE, for the test to compare.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, P
from jax.sharding import AxisType, NamedSharding

import seglosses_jax as sl

jax.config.update("jax_enable_x64", True)

LOSSES: dict[str, Callable[[], sl.JaxLoss]] = {
    "batch": lambda: sl.DiceLoss(aggregate="batch", class_weights=[1.0, 0.5, 2.0], ignore_index=255),
    "image": lambda: sl.DiceLoss(absent="skip", ignore_index=255),
    "cross-entropy": lambda: sl.CrossEntropyLoss(class_weights=[1.0, 0.5, 2.0], ignore_index=255),
    "Minkowski": lambda: sl.CrossEntropyLoss(reduction=sl.Minkowski(), ignore_index=255),
    "ensemble": lambda: (
        jnp.asarray(0.3) * sl.DiceLoss(ignore_index=255) + sl.CrossEntropyLoss(ignore_index=255)
    ),
    "top-k": lambda: sl.CrossEntropyLoss(reduction=sl.TopK(fraction=0.3), ignore_index=255),
}
THOROUGH = ("batch", "ensemble")
"""Those that are tried in all ways."""


def batch() -> tuple[Array, Array]:
    """Parts that are not alike: of the first images and of the upper rows most is background, of the others ignored."""
    random = np.random.default_rng(5)
    features = 2 * random.normal(size=(4, 4, 5, 3))
    labels = random.choice(3, size=(4, 4, 5), p=[0.2, 0.5, 0.3])
    labels[:2] = np.where(random.uniform(size=(2, 4, 5)) < 0.6, 0, labels[:2])
    labels[:, :2] = np.where(random.uniform(size=(4, 2, 5)) < 0.4, 0, labels[:, :2])
    labels[2:, 1:] = np.where(random.uniform(size=(2, 3, 5)) < 0.5, 255, labels[2:, 1:])
    return jnp.asarray(features), jnp.asarray(labels)


CUT = P("images", "rows")
KINDS = [
    ((2, 1), True, "outside"),
    ((2, 1), False, "inside"),
    ((1, 2), True, "inside"),
    ((1, 2), False, "outside"),
]
"""The devices along images and rows, whether shard_map checks what varies, and where gradients are taken."""


def mesh_of(shape: tuple[int, int], kind: AxisType = AxisType.Auto) -> Any:
    return jax.make_mesh(shape, ("images", "rows"), axis_types=(kind,) * 2)


def logits_of(network: Array, features: Array) -> Array:
    return features * network + jnp.roll(features, 1, axis=-1)


def value_of(loss: sl.JaxLoss, network: Array, features: Array, labels: Array) -> Array:
    return loss(logits_of(network, features), labels)


def of_shard_map(loss: sl.JaxLoss, shape: tuple[int, int], checked: bool, where: str, *given: Array) -> Any:
    """The value, and the gradients with respect to the loss and the network."""
    mapped = partial(jax.shard_map, mesh=mesh_of(shape), in_specs=(P(), P(), CUT, CUT), check_vma=checked)
    if where == "outside":
        return jax.value_and_grad(mapped(value_of, out_specs=P()), argnums=(0, 1))(loss, *given)

    def inside(*given: Any) -> Any:
        found = jax.value_and_grad(value_of, argnums=(0, 1))(*given)
        return found if checked else jax.lax.pmean(found, ("images", "rows"))

    return mapped(inside, out_specs=P())(loss, *given)


def of_pmap(loss: sl.JaxLoss, network: Array, features: Array, labels: Array) -> Any:
    """The same of both devices, with half the images each."""

    def step(loss: sl.JaxLoss, features: Array, labels: Array) -> Any:
        found = jax.value_and_grad(value_of, argnums=(0, 1))(loss, network, features, labels)
        return jax.lax.pmean(found, "images")

    parts = (x.reshape(2, 2, *x.shape[1:]) for x in (features, labels))
    return jax.pmap(step, axis_name="images", in_axes=(None, 0, 0))(loss, *parts)


def values() -> dict[str, Any]:
    network = jnp.asarray([0.5, 1.0, 1.5])
    features, labels = batch()
    found: dict[str, Any] = {}
    jax.config.update("jax_disable_most_optimizations", True)  # which take longer than what is computed

    @partial(jax.jit, static_argnames="kinds")
    def all_kinds(loss: sl.JaxLoss, over: sl.JaxLoss, kinds: Any) -> Any:
        expected = jax.value_and_grad(value_of, argnums=(0, 1))(loss, network, features, labels)
        return expected, [of_shard_map(over, *kind, network, features, labels) for kind in kinds]

    for name, make in LOSSES.items():
        loss = make()
        over = loss.across(images="images", pixels="rows")
        kinds = tuple(KINDS if name in THOROUGH else KINDS[1:3])
        expected, given = all_kinds(loss, over, kinds)
        found |= leaves(f"{name}: one device", expected)
        for kind, one in zip(kinds, given, strict=True):
            found |= leaves(f"{name}: {kind}", one)
        if name in THOROUGH:
            both = of_pmap(loss.across(images="images"), network, features, labels)
            for device in (0, 1):
                one = jax.tree.map(lambda x, device=device: x[device], both)
                found |= leaves(f"{name}: pmap, device {device}", one)
    jax.config.update("jax_disable_most_optimizations", False)
    return found | under_jit()


def under_jit() -> dict[str, Any]:
    """Nothing is said to the loss, and the compiler splits the work; and what it sends for that."""
    features, labels = batch()
    loss = LOSSES["batch"]()
    place = NamedSharding(mesh_of((2, 1)), CUT)
    given = [jax.device_put(x, place) for x in (features.astype("float32"), labels)]
    alone = jax.jit(jax.value_and_grad(loss)).lower(*given).compile()
    over = loss.across(images="images", pixels="rows")
    mapped = jax.shard_map(over, mesh=place.mesh, in_specs=(CUT, CUT), out_specs=P())
    cut = jax.jit(jax.value_and_grad(mapped)).lower(*given).compile()
    expected = jax.jit(jax.value_and_grad(loss))(features.astype("float32"), labels)
    found = leaves("jit: one device", expected) | leaves("jit: found", alone(*given))
    return found | {"jit: sent": sent(alone.as_text()), "jit: sent in shard_map": sent(cut.as_text())}


def sent(program: str) -> np.ndarray:
    """How many all-reduces a program has, the bytes of the largest, and how many gathers."""
    sizes = {"pred": 1, "f32": 4, "f64": 8, "s32": 4, "s64": 8}
    reduced = re.findall(r"= (.*?) all-reduce(?:-start)?\(", program)
    largest = 0
    for shapes in reduced:
        arrays = re.findall(r"(\w+)\[([\d,]*)\]", shapes)
        counts = [int(np.prod([int(n) for n in lengths.split(",") if n])) for _, lengths in arrays]
        largest = max(largest, sum(sizes[kind] * n for (kind, _), n in zip(arrays, counts, strict=True)))
    return np.asarray([len(reduced), largest, len(re.findall(r"all-gather|all-to-all", program))])


def explicit() -> dict[str, Any]:
    """Meshes of explicit axes, by `auto_axes`."""
    features, labels = batch()
    mesh, found = mesh_of((2, 1), AxisType.Explicit), {}
    with jax.set_mesh(mesh):
        given = [jax.device_put(x, NamedSharding(mesh, CUT)) for x in (features, labels)]
        for name, make in LOSSES.items():
            value = jax.sharding.auto_axes(make(), out_sharding=P())
            found |= leaves(f"{name}: explicit", jax.jit(jax.value_and_grad(value))(*given))
    for name, make in LOSSES.items():
        found |= leaves(f"{name}: one device", jax.jit(jax.value_and_grad(make()))(features, labels))
    return found


def leaves(name: str, tree: Any) -> dict[str, Any]:
    return {f"{name} / {i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(tree))}


if __name__ == "__main__":
    assert len(jax.devices()) == 2
    np.savez(sys.argv[1], **{"values": values, "explicit": explicit}[sys.argv[2]]())

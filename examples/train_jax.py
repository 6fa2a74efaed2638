"""Train a U-Net on scenes of digits in JAX with optax: python examples/train_jax.py --steps 200"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scenes import CLASSES, mean_iou, scenes

from seglosses_jax import PowerJaccardLoss

WIDTHS = (16, 32, 64)


def create(key: jax.Array) -> list[jax.Array]:
    """The kernels in the order in which `network` uses them."""
    first, second, third = WIDTHS
    convolutions = [
        (1, first),
        (first, second),
        (second, third),
        (third + second, second),
        (second + first, first),
    ]
    shapes = [(3, 3, inputs, outputs) for inputs, outputs in convolutions] + [(1, 1, first, CLASSES)]
    initialize = jax.nn.initializers.he_normal()
    return [initialize(k, shape) for k, shape in zip(jax.random.split(key, len(shapes)), shapes, strict=True)]


def network(kernels: list[jax.Array], images: jax.Array) -> jax.Array:
    """Images (N, H, W) to logits (N, H, W, classes)."""
    kernel = iter(kernels)

    def convolve(x: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(
            x, next(kernel), (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def block(x: jax.Array) -> jax.Array:
        x = convolve(x)
        return jax.nn.relu(jax.nn.standardize(x, axis=(0, 1, 2)))

    def halve(x: jax.Array) -> jax.Array:
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def double(x: jax.Array) -> jax.Array:
        return x.repeat(2, 1).repeat(2, 2)

    fine = block(images[..., None])
    middle = block(halve(fine))
    coarse = block(halve(middle))
    middle = block(jnp.concat([double(coarse), middle], axis=-1))
    fine = block(jnp.concat([double(middle), fine], axis=-1))
    return convolve(fine)


def train(
    kernels: list[jax.Array],
    loss: Callable[[jax.Array, jax.Array], jax.Array],
    images: np.ndarray,
    labels: np.ndarray,
    *,
    steps: int,
) -> Iterator[tuple[float, list[jax.Array]]]:
    """Yield the loss of each step, and the kernels after it."""
    optimizer = optax.adam(optax.cosine_onecycle_schedule(steps, 1e-2))
    state = optimizer.init(kernels)

    @jax.jit
    def step(kernels, state, images, labels):
        value, gradient = jax.value_and_grad(lambda k: loss(network(k, images), labels))(kernels)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(kernels, updates), state, value

    random = np.random.default_rng(0)
    for _ in range(steps):
        chosen = random.integers(len(images), size=16)
        kernels, state, value = step(kernels, state, images[chosen], labels[chosen])
        yield float(value), kernels


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = scenes(options.scenes, size=options.size)
    unseen, truth = scenes(60, size=options.size, split="test", seed=1)
    # Most digits are absent from most scenes, so their overlap is counted over the batch.
    loss = PowerJaccardLoss(p=2.0, aggregate="batch")
    kernels = create(jax.random.key(0))
    print(f"mean IoU before: {mean_iou(truth, np.asarray(network(kernels, unseen).argmax(-1))):.3f}")
    training = train(kernels, loss, images, labels, steps=options.steps)
    for count, trained in enumerate(training, 1):
        value, kernels = trained
        if count % 25 == 0:
            print(f"step {count:4}: loss {value:.3f}")
    print(f"mean IoU after:  {mean_iou(truth, np.asarray(network(kernels, unseen).argmax(-1))):.3f}")


if __name__ == "__main__":
    main()

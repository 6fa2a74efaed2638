"""The U-Net of train_jax.py, by optax, with losses of other libraries: python examples/jax_preset.py --steps 50

MONAI's, which is there for PyTorch alone, and optax' own, whose mean is taken outside.
"""

from argparse import ArgumentParser

import jax
from scenes import CLASSES, scenes
from train_jax import create, train

from seglosses_jax.presets.monai import DiceCELoss
from seglosses_jax.presets.optax import dice_loss


def of_optax(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return dice_loss(logits, jax.nn.one_hot(labels, CLASSES)).mean()


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = scenes(options.scenes, size=options.size)
    of_monai = DiceCELoss(softmax=True, to_onehot_y=True, batch=True)
    for name, loss in (("MONAI's DiceCELoss", of_monai), ("optax' dice_loss", of_optax)):
        kernels = create(jax.random.key(0))
        values = [value for value, _ in train(kernels, loss, images, labels, steps=options.steps)]
        print(f"{name}: loss {values[0]:.3f} at first, {values[-1]:.3f} in the end")


if __name__ == "__main__":
    main()

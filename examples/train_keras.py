"""Train a U-Net on scenes of digits in Keras: python examples/train_keras.py --epochs 10

KERAS_BACKEND=jax or KERAS_BACKEND=torch in front runs it on another backend than TensorFlow.
"""

from argparse import ArgumentParser

import keras
import numpy as np
from keras import layers
from scenes import CLASSES, mean_iou, scenes

from seglosses_keras import PowerJaccardLoss


def block(x, filters: int):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def unet(filters: int = 16) -> keras.Model:
    """Images (N, H, W, 1) to logits (N, H, W, classes)."""
    images = keras.Input((None, None, 1))
    fine = block(images, filters)
    middle = block(layers.MaxPooling2D()(fine), 2 * filters)
    coarse = block(layers.MaxPooling2D()(middle), 4 * filters)
    middle = block(layers.Concatenate()([layers.UpSampling2D()(coarse), middle]), 2 * filters)
    fine = block(layers.Concatenate()([layers.UpSampling2D()(middle), fine]), filters)
    return keras.Model(images, layers.Conv2D(CLASSES, 1)(fine))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--size", type=int, default=104)
    options = parser.parse_args()

    images, labels = scenes(options.scenes, size=options.size)
    unseen, truth = scenes(60, size=options.size, split="test", seed=1)
    keras.utils.set_random_seed(0)
    model = unet()
    # Most digits are absent from most scenes, so their overlap is counted over the batch.
    loss = PowerJaccardLoss(p=2.0, aggregate="batch")
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)

    def iou() -> float:
        return mean_iou(truth, np.argmax(model.predict(unseen[..., None], verbose=0), -1))

    print(f"mean IoU before: {iou():.3f}")
    model.fit(images[..., None], labels, batch_size=16, epochs=options.epochs, verbose=2)
    print(f"mean IoU after:  {iou():.3f}")


if __name__ == "__main__":
    main()

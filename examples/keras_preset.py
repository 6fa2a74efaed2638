"""The U-Net of train_keras.py, fitted by Tversky as segmentation_models_pytorch has it: python examples/keras_preset.py

The loss is saved with the model, by its name and its arguments there, and trains on where that is loaded.
KERAS_BACKEND=jax or KERAS_BACKEND=torch in front runs it on another backend than TensorFlow.
"""

from argparse import ArgumentParser
from tempfile import TemporaryDirectory

import keras
from scenes import scenes
from train_keras import unet

from seglosses_keras.presets.smp import TverskyLoss


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = scenes(options.scenes, size=options.size)
    keras.utils.set_random_seed(0)
    model = unet(filters=8)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=TverskyLoss("multiclass", alpha=0.3, beta=0.7))

    def fit(model: keras.Model) -> list[float]:
        return model.fit(images[..., None], labels, batch_size=16, epochs=options.epochs, verbose=2).history[
            "loss"
        ]

    first = fit(model)
    with TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.saving.load_model(f"{folder}/model.keras")
    print(f"trained on, by the {loaded.loss.preset} of {loaded.loss.peer} that was saved:")
    last = fit(loaded)
    print(f"loss {first[0]:.3f} at first, {last[-1]:.3f} in the end")


if __name__ == "__main__":
    main()

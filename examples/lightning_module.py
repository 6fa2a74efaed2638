"""A Lightning module with a preset: python examples/lightning_module.py --steps 60

The loss is made of the hyperparameters, is saved with them, and is a submodule that moves with the model.
Needs lightning, and scikit-learn for the scenes. Run in November 2026 with lightning 2.6.6 and torch 2.13.0.
"""

from argparse import ArgumentParser
from tempfile import TemporaryDirectory

import lightning
import torch
from scenes import CLASSES, scenes
from torch.utils.data import DataLoader, TensorDataset
from unet_torch import UNet

# was: from segmentation_models_pytorch.losses import DiceLoss
from seglosses_torch.presets.smp import DiceLoss


class Segmentation(lightning.LightningModule):
    def __init__(self, classes: int, smooth: float = 1.0, rate: float = 1e-2) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = UNet(classes)
        self.loss = DiceLoss("multiclass", smooth=smooth)
        self.values: list[float] = []

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        images, labels = batch
        value = self.loss(self.network(images), labels)
        self.log("loss", value)
        self.values.append(value.item())
        return value

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        images, labels = batch
        self.log("validation loss", self.loss(self.network(images), labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.hparams["rate"])


def batches(count: int, size: int, split: str) -> DataLoader:
    images, labels = map(torch.from_numpy, scenes(count, size=size, split=split))
    return DataLoader(TensorDataset(images[:, None], labels), batch_size=16, shuffle=split == "train")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    lightning.seed_everything(0)
    module = Segmentation(CLASSES)
    trainer = lightning.Trainer(
        max_steps=options.steps,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.fit(
        module,
        batches(options.scenes, options.size, split="train"),
        batches(32, options.size, split="validation"),
    )
    print(f"loss {module.values[0]:.3f} at first, {module.values[-1]:.3f} in the end")
    print(f"of scenes that were not trained on: {trainer.callback_metrics['validation loss']:.3f}")
    with TemporaryDirectory() as folder:
        path = f"{folder}/model.ckpt"
        trainer.save_checkpoint(path)
        print(f"from the checkpoint: {Segmentation.load_from_checkpoint(path).loss}")


if __name__ == "__main__":
    main()

"""Trainers of nnU-Net with losses of ours, and a short training on scenes of digits: python examples/nnunet_trainer.py

For your own data name the folder of a copy of this file in nnUNet_extTrainer, and a trainer:

    nnUNetv2_train DATASET 3d_fullres 0 -tr nnUNetTrainerPowerJaccard

Needs nnunetv2; the short training needs scikit-learn too. Run in November 2026 on a CPU with nnunetv2 2.8.1 and
torch 2.13.0.
"""

import json
import os
import shutil
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from seglosses_torch import CrossEntropyLoss, DeepSupervisionLoss, PowerJaccardLoss, TorchLoss
from seglosses_torch.presets.nnunet import DC_and_BCE_loss, DC_and_CE_loss


class nnUNetTrainerSegLosses(nnUNetTrainer):
    """With the numbers of nnU-Net's own loss: batch Dice, the ignore label and regions as the plan has them. Under DDP
    the overlap is that of the images of all processes, and so is the mean of the cross-entropy."""

    def _build_loss(self) -> torch.nn.Module:
        loss = self.loss_of_one_output()
        if self.is_ddp:
            loss = loss.across(images="world")
        return DeepSupervisionLoss(loss=loss, weights="nnunet") if self.enable_deep_supervision else loss

    def loss_of_one_output(self) -> TorchLoss:
        batch_dice, labels = self.configuration_manager.batch_dice, self.label_manager
        dice = {"batch_dice": batch_dice, "do_bg": labels.has_regions, "smooth": 1e-5, "ddp": False}
        if labels.has_regions:
            return DC_and_BCE_loss({}, dice, use_ignore_label=labels.has_ignore_label)
        return DC_and_CE_loss(dice, {}, ignore_label=labels.ignore_label)


class nnUNetTrainerPowerJaccard(nnUNetTrainerSegLosses):
    """With what nnU-Net does not have: power Jaccard beside cross-entropy. Of labels, not of regions."""

    def loss_of_one_output(self) -> TorchLoss:
        over = "batch" if self.configuration_manager.batch_dice else "image"
        ignored = self.label_manager.ignore_label
        jaccard = PowerJaccardLoss(p=1.5, aggregate=over, include_background=False, ignore_index=ignored)
        return jaccard + CrossEntropyLoss(ignore_index=ignored)


def write_dataset(folder: Path, count: int) -> None:
    """Scenes of digits in nnU-Net's format; the upper rows of each are not annotated."""
    from scenes import CLASSES, scenes  # which are not beside a copy of this file
    from skimage.io import imsave

    images, labels = scenes(count)
    labels[:, :8] = CLASSES
    for kind, arrays in (("imagesTr", 200 * images.clip(0, 1)), ("labelsTr", labels)):
        (folder / kind).mkdir(parents=True)
        for number, array in enumerate(arrays):
            channel = "_0000" if kind == "imagesTr" else ""
            imsave(
                folder / kind / f"scene_{number:03}{channel}.png", array.astype("uint8"), check_contrast=False
            )
    names = ["background", *map(str, range(10)), "ignore"]
    described = {
        "channel_names": {"0": "ink"},
        "labels": {name: label for label, name in enumerate(names)},
        "numTraining": count,
        "file_ending": ".png",
    }
    (folder / "dataset.json").write_text(json.dumps(described))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=25)
    parser.add_argument("--scenes", type=int, default=60)
    options = parser.parse_args()

    from nnunetv2.experiment_planning import plan_and_preprocess_api as planning
    from nnunetv2.run.run_training import get_trainer_from_args

    os.environ.update(nnUNet_n_proc_DA="1")
    with TemporaryDirectory() as folder:
        for kind in ("raw", "preprocessed", "results", "extTrainer"):
            path = os.environ[f"nnUNet_{kind}"] = os.path.join(folder, kind)
            os.mkdir(path)
        shutil.copy(__file__, path)
        write_dataset(Path(folder, "raw", "Dataset501_Digits"), options.scenes)
        planning.extract_fingerprint_dataset(501, num_processes=1)
        planning.plan_experiment_dataset(501)
        planning.preprocess_dataset(501, configurations=["2d"], num_processes=[1])
        for name in ("nnUNetTrainerSegLosses", "nnUNetTrainerPowerJaccard"):
            trainer = get_trainer_from_args("501", "2d", 0, name, device=torch.device("cpu"))
            trainer.num_epochs = options.epochs
            trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = options.iterations, 2
            trainer.run_training()
            losses = trainer.logger.get_value("train_losses", None)
            print(f"{name}: loss {losses[0]:.3f} at first, {losses[-1]:.3f} in the end")


if __name__ == "__main__":
    main()

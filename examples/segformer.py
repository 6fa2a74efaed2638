"""A SegFormer of Hugging Face, trained by their Trainer with a loss of ours: python examples/segformer.py --steps 60

The model is made from its configuration, nothing is downloaded. Needs transformers, accelerate, and scikit-learn for
the scenes. Run in November 2026 with transformers 5.24.0, accelerate 1.15.0 and torch 2.13.0.
"""

from argparse import ArgumentParser
from tempfile import TemporaryDirectory
from typing import Any

import torch
from scenes import CLASSES, scenes
from torch import Tensor
from transformers import (
    SegformerConfig,
    SegformerForSemanticSegmentation,
    Trainer,
    TrainingArguments,
    set_seed,
)

from seglosses_torch import CrossEntropyLoss, DiceLoss

IGNORED = 255

# The model's own loss is the second, of logits that are enlarged in the same way.
LOSS = DiceLoss(aggregate="batch", ignore_index=IGNORED) + CrossEntropyLoss(ignore_index=IGNORED)


def compute_loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
    """Of the logits, which have a quarter of the labels' sides."""
    logits = torch.nn.functional.interpolate(outputs.logits, labels.shape[1:], mode="bilinear")
    return LOSS(logits, labels)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = map(torch.from_numpy, scenes(options.scenes, size=options.size))
    labels[:, :2] = IGNORED  # not annotated
    dataset = [{"pixel_values": x[None], "labels": y} for x, y in zip(images, labels, strict=True)]
    set_seed(0)
    config = SegformerConfig(
        num_channels=1,
        num_labels=CLASSES,
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 32, 48, 64],
        decoder_hidden_size=64,
        semantic_loss_ignore_index=IGNORED,
    )
    model = SegformerForSemanticSegmentation(config)
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=options.steps,
            learning_rate=3e-3,
            logging_steps=max(options.steps // 4, 1),
            save_strategy="no",
            report_to="none",
            use_cpu=True,
        )
        trainer = Trainer(model, arguments, train_dataset=dataset, compute_loss_func=compute_loss)
        trainer.train()
    values = [logged["loss"] for logged in trainer.state.log_history if "loss" in logged]
    print(f"loss {values[0]:.3f} at first, {values[-1]:.3f} in the end")


if __name__ == "__main__":
    main()

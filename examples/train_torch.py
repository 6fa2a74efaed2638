"""Train a U-Net on scenes of digits in PyTorch: python examples/train_torch.py --steps 200"""

from argparse import ArgumentParser
from collections.abc import Iterator

import numpy as np
import torch
from scenes import CLASSES, mean_iou, scenes
from torch import nn
from unet_torch import UNet

from seglosses_torch import PowerJaccardLoss


def train(
    network: nn.Module,
    loss: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    steps: int,
    batch_size: int = 16,
    rate: float = 1e-2,
    seed: int = 0,
) -> Iterator[float]:
    """Yield the loss after each step."""
    inputs, targets = torch.from_numpy(images)[:, None], torch.from_numpy(labels)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    random = torch.Generator().manual_seed(seed)
    network.train()
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (batch_size,), generator=random)
        value = loss(network(inputs[chosen]), targets[chosen])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        yield value.item()


@torch.no_grad()
def predict(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """The logits, (N, classes, H, W)."""
    network.eval()
    return network(torch.from_numpy(images)[:, None]).numpy()


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = scenes(options.scenes, size=options.size)
    unseen, truth = scenes(60, size=options.size, split="test", seed=1)
    torch.manual_seed(0)
    network = UNet(CLASSES)
    # Most digits are absent from most scenes, so their overlap is counted over the batch.
    loss = PowerJaccardLoss(p=2.0, aggregate="batch")
    print(f"mean IoU before: {mean_iou(truth, predict(network, unseen).argmax(1)):.3f}")
    for step, value in enumerate(train(network, loss, images, labels, steps=options.steps), 1):
        if step % 25 == 0:
            print(f"step {step:4}: loss {value:.3f}")
    print(f"mean IoU after:  {mean_iou(truth, predict(network, unseen).argmax(1)):.3f}")


if __name__ == "__main__":
    main()

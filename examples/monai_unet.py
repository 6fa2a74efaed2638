"""MONAI's DynUNet with deep supervision, its loss a preset within MONAI's wrapper: python examples/monai_unet.py

Needs monai, and scikit-learn for the scenes. Run in November 2026 with monai 1.6.1 and torch 2.13.0.
"""

from argparse import ArgumentParser

import monai.losses
import torch
from monai.networks.nets import DynUNet
from monai.utils import set_determinism
from scenes import CLASSES, mean_iou, scenes

from seglosses_torch.presets.monai import DiceCELoss  # was: from monai.losses import DiceCELoss


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    images, labels = map(torch.from_numpy, scenes(options.scenes, size=options.size))
    unseen, truth = scenes(40, size=options.size, split="test", seed=1)
    set_determinism(0)
    network = DynUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=CLASSES,
        kernel_size=[3, 3, 3, 3],
        strides=[1, 2, 2, 2],
        upsample_kernel_size=[2, 2, 2],
        filters=[16, 32, 64, 64],
        deep_supervision=True,
        deep_supr_num=2,
    )
    # Most digits are absent from most scenes, so their overlap is counted over the batch.
    arguments = {"to_onehot_y": True, "softmax": True, "batch": True}
    loss, theirs = (
        monai.losses.DeepSupervisionLoss(kind(**arguments), weight_mode="exp")
        for kind in (DiceCELoss, monai.losses.DiceCELoss)
    )
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    values = []
    for step in range(1, options.steps + 1):
        chosen = torch.randint(len(images), (8,))
        outputs = list(network(images[chosen, None]).unbind(1))  # the finest and two of lower levels
        value = loss(outputs, labels[chosen, None])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
        if step == 1:
            print(
                f"of the first batch: {values[0]:.6f}, MONAI's own {theirs(outputs, labels[chosen, None]):.6f}"
            )
        if step % 20 == 0:
            print(f"step {step:4}: loss {values[-1]:.3f}")
    network.eval()
    with torch.no_grad():
        found = network(torch.from_numpy(unseen)[:, None]).argmax(1).numpy()
    print(
        f"loss {values[0]:.3f} at first, {values[-1]:.3f} in the end, mean IoU {mean_iou(truth, found):.3f}"
    )


if __name__ == "__main__":
    main()

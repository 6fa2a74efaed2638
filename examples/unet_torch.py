"""A U-Net small enough to train on two CPU cores."""

import torch
from torch import nn

SLOPE = 0.125  # where a plain rectifier is 0: the head of a network of two filters would see little else


def block(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Images (N, 1, H, W) to logits (N, classes, H, W); H and W are multiples of 2^(levels - 1).

    filters: of the first level; each level below has twice as many.
    kernel: the odd width of the convolutions, in pixels.
    """

    def __init__(self, classes: int, filters: int = 16, kernel: int = 3, levels: int = 3) -> None:
        super().__init__()
        widths = [filters * 2**level for level in range(levels)]
        self.down = nn.ModuleList(
            block(inputs, width, kernel) for inputs, width in zip([1, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(block(width + 2 * width, width, kernel) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(filters, classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = images
        skipped: list[torch.Tensor] = []
        for down in self.down:
            x = down(nn.functional.max_pool2d(x, 2) if skipped else x)
            skipped.append(x)
        skipped.pop()
        for up in self.up:
            wider = nn.functional.interpolate(x, scale_factor=2.0)
            x = up(torch.cat([wider, skipped.pop()], dim=1))
        return self.head(x)

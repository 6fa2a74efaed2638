"""The rows of `differences.md`, a file for each library, in the order of the page."""

from . import kornia, monai, optax, pytorch_toolbelt, segmentation_models_pytorch, torch
from .row import Row

LIBRARIES: dict[str, tuple[str, tuple[Row, ...]]] = {
    "monai": ("MONAI", monai.ROWS),
    "kornia": ("kornia", kornia.ROWS),
    "segmentation_models_pytorch": ("segmentation_models_pytorch", segmentation_models_pytorch.ROWS),
    "pytorch_toolbelt": ("pytorch-toolbelt", pytorch_toolbelt.ROWS),
    "torch": ("PyTorch", torch.ROWS),
    "optax": ("optax", optax.ROWS),
}
"""By the name of the package: how it is called, and its rows."""

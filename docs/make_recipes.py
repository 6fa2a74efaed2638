"""Writes `recipes.md`: sums of losses as other projects set them, and what the projects make of the same arrays.

CONTRIBUTING.md says what has to be installed. A recipe whose value or gradient is not the project's is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import seglosses_torch

AGREE = 1e-5  # of values and gradients, relative to the largest entry: nnU-Net's sums are float32
NNUNET = "nnunetv2.training.loss.compound_losses"
INPUTS = """\
b = torch.tensor([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.3, 0.6, 0.1]], dtype=torch.float64)
sharper = torch.linspace(0.5, 1.5, 10, dtype=torch.float64)  # from left to right
logits = (b.log().T[:, :, None] * sharper).repeat(2, 1, 1, 1).requires_grad_()  # two images of 4 × 10 pixels
labels = torch.tensor([[0, 0, 0, 1], [0, 0, 1, 1]])[:, :, None].repeat(1, 1, 10)  # class 2 is in neither
masks = one_hot(labels, 3).movedim(-1, 1).double()
p, q, image, batch = logits.softmax(1), logits.sigmoid(), (2, 3), (0, 2, 3)  # for formulas
"""


@dataclass(frozen=True)
class Recipe:
    """`theirs` is a call of the project's module, or in torch's the project's formula, written down from its code."""

    title: str
    line: str
    about: str
    theirs: str
    module: str = "torch.nn.functional"
    target: str = "labels"


SQUARED_DICE = "(1 - (2 * (p * masks).sum({0}) + {1}) / ((p**2 + masks**2).sum({0}) + {1})).mean()"
MASK_DICE = "(1 - (2 * (q * masks).sum(image) + 1) / ((q + masks).sum(image) + 1)).mean()"

RECIPES = (
    Recipe(
        "nnU-Net v2",
        "CrossEntropyLoss() + DiceLoss(include_background=False)",
        "Dice without the background, ε = 1e-5. Where the plan says `batch_dice`, as for 2D, Dice has"
        " `aggregate='batch'`; an ignore label is `ignore_index=` of both. The loss there is less by 1, for it adds the"
        " negative score. Deep supervision is `DeepSupervisionLoss(loss=…, weights='nnunet')`.",
        "1 + DC_and_CE_loss({'smooth': 1e-5, 'do_bg': False}, {})(logits, labels[:, None])",
        NNUNET,
    ),
    Recipe(
        "nnU-Net v2, regions",
        'CrossEntropyLoss(activation="sigmoid") + DiceLoss(activation="sigmoid")',
        "For regions that overlap, with a target of the logits' shape. All of them count in Dice.",
        "1 + DC_and_BCE_loss({}, {'smooth': 1e-5})(logits, masks)",
        NNUNET,
        "masks",
    ),
    Recipe(
        "nnU-Net v2, Dice and TopK",
        "CrossEntropyLoss(reduction=TopK(fraction=0.1)) + DiceLoss(include_background=False)",
        "Of the costliest tenth of the batch's pixels; of those that are not ignored, here alone.",
        "1 + DC_and_topk_loss({'smooth': 1e-5, 'do_bg': False}, {'k': 10})(logits, labels[:, None])",
        NNUNET,
    ),
    Recipe(
        "MONAI, DiceCELoss",
        "DiceLoss() + CrossEntropyLoss()",
        "`include_background=False` is Dice's alone. Cross-entropy divides by the class weights `w`, Dice does not:"
        " `w.mean() * DiceLoss(class_weights=w) + CrossEntropyLoss(class_weights=w)`.",
        "DiceCELoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
        "monai.losses",
    ),
    Recipe(
        "MONAI, DiceFocalLoss",
        'DiceLoss() + FocalLoss(activation="sigmoid", alpha=None)',
        "γ = 2 and no α. The focal part is of sigmoids, with `softmax=True` too.",
        "DiceFocalLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
        "monai.losses",
    ),
    Recipe(
        "MONAI, GeneralizedDiceFocalLoss",
        'GeneralizedDiceLoss() + FocalLoss(activation="sigmoid", alpha=None)',
        "The focal part as above. ε is left out of theirs, which [depends on the size of images](differences.md).",
        "GeneralizedDiceFocalLoss(softmax=True, to_onehot_y=True, smooth_nr=0, smooth_dr=0)(logits, labels[:, None])",
        "monai.losses",
    ),
    Recipe(
        "TransUNet",
        '0.5 * CrossEntropyLoss() + 0.5 * PowerDiceLoss(p=2.0, aggregate="batch")',
        "Dice of all classes, with squares below and sums over the batch, ε = 1e-5.",
        "0.5 * cross_entropy(logits, labels) + 0.5 * " + SQUARED_DICE.format("batch", "1e-5"),
    ),
    Recipe(
        "Swin-Unet",
        '0.4 * CrossEntropyLoss() + 0.6 * PowerDiceLoss(p=2.0, aggregate="batch")',
        "TransUNet's with other weights.",
        "0.4 * cross_entropy(logits, labels) + 0.6 * " + SQUARED_DICE.format("batch", "1e-5"),
    ),
    Recipe(
        "mmsegmentation, vessels",
        "CrossEntropyLoss() + 3 * PowerDiceLoss(p=2.0, smooth=1.0)",
        "`ce-1.0-dice-3.0` of version 0: exponent 2, ε = 1. Since then Dice is one ratio of all classes' sigmoids.",
        "cross_entropy(logits, labels) + 3 * " + SQUARED_DICE.format("image", "1"),
    ),
    Recipe(
        "Mask2Former",
        '5 * CrossEntropyLoss(activation="sigmoid") + 5 * DiceLoss(activation="sigmoid", smooth=1.0)',
        "Of the matched masks, as classes of images here. Their pixels are sampled points there.",
        "5 * binary_cross_entropy_with_logits(logits, masks) + 5 * " + MASK_DICE,
        target="masks",
    ),
    Recipe(
        "MaskFormer, SAM",
        '20 * FocalLoss(activation="sigmoid") + DiceLoss(activation="sigmoid", smooth=1.0)',
        "Of masks too, with γ = 2, and α = ¼ inside. SAM adds the squared error of the IoU that it predicts.",
        "-5 * (masks * (1 - q) ** 2 * q.log() + 3 * (1 - masks) * q**2 * (1 - q).log()).mean() + "
        + MASK_DICE,
        target="masks",
    ),
    Recipe(
        "JDTLosses",
        '0.25 * CrossEntropyLoss() + 0.75 * JaccardMetricLoss(smooth=1.0, aggregate="batch", absent="skip")',
        "By the authors of Jaccard metric losses: sums over the batch, of the classes that it has, ε = 1.",
        "0.25 * cross_entropy(logits, labels) + 0.75 * (1 - (torch.minimum(p, masks).sum(batch) + 1)"
        " / (torch.maximum(p, masks).sum(batch) + 1))[:2].mean()",
    ),
    Recipe(
        "JDTLosses, Dice",
        '0.25 * CrossEntropyLoss() + 0.75 * DiceSemimetricLoss(smooth=2.0, aggregate="batch", absent="skip")',
        "The same, where their sums are half of ours, so ε is twice.",
        "0.25 * cross_entropy(logits, labels) + 0.75 * (1 - (torch.minimum(p, masks).sum(batch) + 1)"
        " / ((p + masks).sum(batch) / 2 + 1))[:2].mean()",
    ),
)

PAGE = """# Compound losses as projects set them

A line to paste for each, and what the project's settings mean. The names are the same in every package:

```python
from seglosses_torch import (
    {names},
)
```

Each line is followed by the number that it gives on these arrays, and the number there: of the project's own code where
that is a package, here {versions}, else of its formula. `docs/make_recipes.py` stops if they
differ by more than {agree:.0e}, or if the gradients do.

```python
{inputs}```
{recipes}"""

SECTION = """
## {title}

```python
{line}
```

{about}

`(logits, {target})`: {here}, there {there} by `{theirs}`.
"""


def run(call: str, names: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The value of a call on the arrays of the page, and its gradient with respect to the logits."""
    given = {"torch": torch, "one_hot": torch.nn.functional.one_hot}
    exec(INPUTS, given)
    value = eval(call, {**names, **given})
    return value.detach(), torch.autograd.grad(value, given["logits"])[0]


def section(recipe: Recipe) -> str:
    here = run(f"({recipe.line})(logits, {recipe.target})", vars(seglosses_torch))
    there = run(recipe.theirs, vars(import_module(recipe.module)))
    off = max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(here, there, strict=True))
    if not off <= AGREE:
        raise SystemExit(f"{recipe.title}: {recipe.line} and {recipe.theirs} differ by {off:.1e}.")
    return SECTION.format(**vars(recipe), here=f"{here[0]:.6g}", there=f"{there[0]:.6g}")


if __name__ == "__main__":
    lines = " ".join(recipe.line for recipe in RECIPES)
    page = PAGE.format(
        names=",\n    ".join(sorted(set(re.findall(r"\w+(?=\()", lines)))),
        versions=" and ".join(f"{package} {version(package)}" for package in ("nnunetv2", "monai")),
        agree=AGREE,
        inputs=INPUTS,
        recipes="".join(map(section, RECIPES)),
    )
    Path(__file__).with_name("recipes.md").write_text(page, encoding="utf-8")

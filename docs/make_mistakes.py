"""Writes `mistakes.md`: what goes wrong, and what this library answers, from calls that are made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import seglosses_torch
from seglosses_core import CrossEntropyLoss, DiceLoss, FocalLoss, LocallyAdaptiveLoss, PowerJaccardLoss

LOGITS = np.zeros((2, 3, 8, 9), dtype=np.float32)
LABELS = np.zeros((2, 8, 9), dtype=np.int64)
ONE = np.zeros((2, 1, 8, 9), dtype=np.float32)
LAST = LOGITS.transpose(0, 2, 3, 1)
PROBABILITIES = DiceLoss(validate=True, activation="identity")
BINARY = DiceLoss(activation="sigmoid")
MASK = (255 * (LABELS[:, None] == 0)).astype(np.uint8)
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
OUTSIDE = np.where(np.arange(9) == 4, 255, LABELS)

MISTAKES: list[tuple[str, Callable[[], Any]]] = [
    ("labels of another height", lambda: DiceLoss()(LOGITS, LABELS[:, :7])),
    ("labels of one row, which NumPy would broadcast", lambda: DiceLoss()(LOGITS, LABELS[:, :1])),
    ("labels of one image for a batch of two", lambda: DiceLoss()(LOGITS, LABELS[:1])),
    ("labels with a trailing axis of 1, the classes being on axis 1", lambda: DiceLoss()(LOGITS, LABELS[..., None])),
    ("logits with the classes last, to a loss with them on axis 1", lambda: DiceLoss()(LAST, LABELS)),
    ("a one-hot target with the classes last", lambda: DiceLoss()(LOGITS, LAST)),
    ("floats that are no labels", lambda: DiceLoss()(LOGITS, LABELS + 0.5)),
    ("floats of one class without its axis, labels or a soft target", lambda: BINARY(ONE, LABELS.astype(np.float32))),
    ("bool labels of several classes", lambda: DiceLoss()(LOGITS, LABELS == 1)),
    ("integer logits", lambda: DiceLoss()(LOGITS.astype(np.int64), LABELS)),
    ("softmax over one class", lambda: DiceLoss()(ONE, LABELS)),
    ("a mask with a class axis", lambda: DiceLoss()(LOGITS, LABELS, mask=LABELS[:, None] == 0)),
    ("a mask of each of exclusive classes", lambda: DiceLoss()(LOGITS, LABELS, mask=LOGITS > 0)),
    ("a mask of one image for a batch of two", lambda: DiceLoss()(LOGITS, LABELS, mask=LABELS[:1] == 0)),
    ("pixel weights as sample_weight", lambda: DiceLoss()(LOGITS, LABELS, sample_weight=np.ones((2, 8, 9)))),
    ("ignore_index with a one-hot target", lambda: DiceLoss(ignore_index=255)(LOGITS, LOGITS)),
    ("a soft target where labels are needed", lambda: LocallyAdaptiveLoss()(LOGITS, LOGITS)),
    ("class weights for another number of classes", lambda: DiceLoss(class_weights=(1, 2))(LOGITS, LABELS)),
    ("an alpha for another number of classes", lambda: FocalLoss(alpha=(0.1, 0.9))(LOGITS, LABELS)),
    ("an alpha per class and image", lambda: FocalLoss(alpha=np.ones((3, 2)))(LOGITS, LABELS)),
    ("a weight of a loss that is no number", lambda: np.ones(2) * DiceLoss()),
    ("a negative class weight", lambda: DiceLoss(class_weights=(1, -1, 1))),
    ("p outside [1, 2]", lambda: PowerJaccardLoss(p=2.5)),
    ("an even kernel size", lambda: LocallyAdaptiveLoss(kernel_size=4)),
    ("the arguments of another library", lambda: DiceLoss(to_onehot_y=True, softmax=True)),
    ("class weights without their name", lambda: CrossEntropyLoss([1.0, 2.0, 3.0])),
    ("the names of another library at the call", lambda: DiceLoss()(input=LOGITS, target=LABELS)),
    ("weights of pixels without their name", lambda: CrossEntropyLoss()(LOGITS, LABELS, LABELS + 1.0)),
    ("an unknown reduction", lambda: DiceLoss(reduction="average")),
    ("a standardised loss of two classes", lambda: LocallyAdaptiveLoss()(LOGITS[:, :2], LABELS)),
    ("an empty batch", lambda: DiceLoss()(LOGITS[:0], LABELS[:0])),
    ("a NumPy target beside torch logits", lambda: seglosses_torch.DiceLoss()(torch.from_numpy(LOGITS), LABELS)),
    ("a gradient of a loss that is no number", lambda: DiceLoss(reduction="none").value_and_grad(LOGITS, LABELS)),
    ("a mask of 0 and 255 as the target of one class", lambda: BINARY(ONE, MASK)),
    ("the same, with validate=True", lambda: DiceLoss(activation="sigmoid", validate=True)(ONE, MASK)),
    ("clip, which is for probabilities", lambda: CrossEntropyLoss(clip=1e-7)),
    ("a negative, infinite or NaN weight", lambda: DiceLoss()(LOGITS, LABELS, mask=LABELS - 1.0)),
    ("a label outside the classes", lambda: DiceLoss()(LOGITS, OUTSIDE)),
    ("a label outside the classes, with validate=True", lambda: DiceLoss(validate=True)(LOGITS, OUTSIDE)),
    ("NaN logits, with validate=True", lambda: DiceLoss(validate=True)(LOGITS * np.nan, LABELS)),
    ("a negative mask, with validate=True", lambda: DiceLoss(validate=True)(LOGITS, LABELS, mask=LABELS - 1.0)),
    ("probabilities for logits, with validate=True", lambda: DiceLoss(validate=True)(SOFTMAX, LABELS)),
    ("probabilities above 1, with validate=True", lambda: PROBABILITIES(LOGITS + 2, LABELS)),
]  # fmt: skip

PAGE = """# What you did, what you see

Every row is a call on logits of shape (2, 3, 8, 9) with three classes on axis 1, and the answer that it got;
`make docs` makes the calls anew. The text is the same in every framework; JAX without 64 bits names int32 and float32.

| what you did | what you see |
|---|---|
{rows}

What Keras has done before a loss sees its arguments: `fit` and `evaluate` turn NumPy arrays into tensors, keep the
dtype of labels, and cast nothing else. Under a mixed-precision policy the
logits arrive in half precision and are computed in float32. Two casts are Keras' own: on JAX without x64, float64
becomes float32, and under a distribution strategy the first pass that builds the model has float labels.

Values are looked at with `validate=True` alone, and only in eager mode: a compiled function cannot raise for what it
has not seen yet. One look is for everybody: the first eager call of a loss on a CPU warns where its logits are
probabilities already. On a GPU it would have to wait for the device, so there `validate=True` alone does.
"""


def answer(attempt: Callable[[], Any]) -> str:
    try:
        return f"the value {attempt()}"
    except (TypeError, ValueError) as error:
        return f"`{type(error).__name__}`: {error}"


def main() -> None:
    rows = "\n".join(f"| {what} | {answer(attempt).replace('|', '&#124;')} |" for what, attempt in MISTAKES)
    Path(__file__).with_name("mistakes.md").write_text(PAGE.format(rows=rows), encoding="utf-8")


if __name__ == "__main__":
    main()

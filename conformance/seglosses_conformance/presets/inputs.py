"""What the losses of other libraries were given, logits, target and perhaps a mask, class axis 1. Short numbers that
look random, from powers modulo a prime; unequal shares of each image, for on full images most conventions coincide."""

from __future__ import annotations

from math import prod

import numpy as np

VOID = 255


def _powers(root: int, prime: int, *shape: int) -> np.ndarray:
    return np.array([pow(root, k, prime) for k in range(1, prod(shape) + 1)]).reshape(shape)


def _ignored(labels: np.ndarray, *shares: float) -> np.ndarray:
    """The labels, of each image so large a share ignored."""
    chosen = _powers(7, 541, *labels.shape) / 541
    return np.where(chosen < np.array(shares).reshape(-1, *(1,) * (labels.ndim - 1)), VOID, labels)


LOGITS = _powers(3, 521, 3, 4, 3, 4) / 64 - 4
LABELS = np.minimum(_powers(2, 509, 3, 3, 4) % 5, 3)
BINARY_LOGITS = _powers(3, 521, 3, 1, 3, 4) / 64 - 4
BINARY = LABELS[:, None] // 2
_counts = _powers(5, 523, 3, 4, 3, 4) % 9 + 1
PROBABILITIES = _counts / _counts.sum(axis=1, keepdims=True)
_absent = np.where(LABELS == 3, 1, LABELS)  # class 3 stands nowhere, class 2 not in image 0
_absent[0] = np.where(_absent[0] == 2, 0, _absent[0])
_some = np.arange(3).reshape(3, 1, 1, 1) > 0  # nothing in image 0


def _one_hot(labels: np.ndarray) -> np.ndarray:
    classes = np.arange(4).reshape(1, 4, *(1,) * (labels.ndim - 1))
    return (labels[:, None] == classes).astype(float)


VOLUME = _powers(3, 521, 2, 4, 3, 2, 4) / 64 - 4, _powers(2, 509, 2, 3, 2, 4) % 4

_pairs = _counts[:, :2] / _counts[:, :2].sum(axis=1, keepdims=True)
_mask = (_powers(7, 541, 3, 1, 3, 4) % 3 > 0).astype(float)
_mask[2] = 0
_entries = np.where(_powers(7, 541, 3, 4, 3, 4) % 4 > 0, _counts > 5, VOID).astype(float)
_entries[:, 1], _entries[0, 2] = VOID, VOID  # one class nowhere, another not in image 0
_blocks = np.add.outer(np.arange(6) // 3, np.arange(7) // 4) + np.arange(2).reshape(2, 1, 1)
_wrong = (_blocks + (_powers(3, 521, 2, 6, 7) % 3 > 0)) % 3
_guesses = (
    np.where(_wrong[:, None] == np.arange(3).reshape(1, 3, 1, 1), 40, 1) + _powers(5, 523, 2, 3, 6, 7) % 9
)
_blocked = _guesses / _guesses.sum(axis=1, keepdims=True)

INPUTS: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "labels": (LOGITS, LABELS),
    "absent": (LOGITS, _absent),
    "ignored": (LOGITS, _ignored(_absent, 0.1, 0.35, 0.6)),
    "image-ignored": (LOGITS, _ignored(LABELS, 0.1, 0.35, 1.0)),
    "one-hot": (LOGITS, _one_hot(LABELS)),
    "absent-one-hot": (LOGITS, _one_hot(_absent)),
    "multilabel": (LOGITS, (_counts > 5).astype(float)),
    "soft": (LOGITS, PROBABILITIES),
    "binary": (BINARY_LOGITS, BINARY),
    "binary-float": (BINARY_LOGITS, BINARY.astype(float)),
    "binary-ignored": (BINARY_LOGITS, _ignored(BINARY, 0.1, 0.35, 0.6)),
    "binary-image-ignored": (BINARY_LOGITS, _ignored(BINARY, 0.1, 0.35, 1.0)),
    "binary-float-ignored": (BINARY_LOGITS, _ignored(BINARY, 0.1, 0.35, 0.6).astype(float)),
    "binary-absent": (BINARY_LOGITS, 0 * BINARY),
    "binary-masks": (BINARY_LOGITS.reshape(3, 12), BINARY.reshape(3, 12).astype(float)),
    "binary-masks-soft": (BINARY_LOGITS.reshape(3, 12), _counts[:, 1].reshape(3, 12) / 10),
    "far": (4 * LOGITS, LABELS),
    "far-one-hot": (4 * LOGITS, _one_hot(LABELS)),
    "binary-labels": (BINARY_LOGITS, BINARY[:, 0]),
    "binary-flat": (BINARY_LOGITS[:, 0], BINARY[:, 0]),
    "binary-flat-ignored": (BINARY_LOGITS[:, 0], _ignored(BINARY[:, 0], 0.1, 0.35, 0.6)),
    "binary-flat-probabilities": (_counts[:, 0] / 10, BINARY[:, 0]),
    "binary-absent-probabilities": (_counts[:1, :1, :1] / 10, 0 * BINARY[:1, :, :1]),
    "multilabel-ignored": (LOGITS, _entries),
    "pairs": (_pairs, BINARY[:, 0]),
    "pairs-ignored": (_pairs, _ignored(BINARY[:, 0], 0.1, 0.35, 0.6)),
    "pairs-certain": (np.array([[[[0.0, 1.0, 0.4, 0.9]], [[1.0, 0.0, 0.6, 0.1]]]]), np.array([[[0, 0, 1, 0]]])),
    "pairs-one-hot": (_pairs, np.concat([1 - BINARY, BINARY], axis=1)),
    "blocks": (_blocked, _blocks % 3),
    "blocks-in-space": (_blocked.reshape(1, 3, 2, 6, 7)[..., ::2], (_blocks % 3)[None, ..., ::2]),
    "line": (_powers(3, 521, 2, 2, 7) / 64 - 4, _powers(3, 521, 2, 7) % 2),
    "volume": VOLUME,
    "volume-one-hot": (VOLUME[0], _one_hot(VOLUME[1])),
    "probabilities": (PROBABILITIES, LABELS),
    "exclusive-probabilities": (PROBABILITIES, _one_hot(LABELS)),
    "heat-map": (LOGITS, np.minimum(_counts / 7, 1.0)),
    "heat-map-probabilities": (PROBABILITIES, np.minimum(_counts / 7, 1.0)),
    "multilabel-probabilities": (_counts / 10, (_counts % 2).astype(float)),
    "overlapping-soft": (_counts / 10, PROBABILITIES),
    "binary-saturated": (np.array([[[[0.0, 1.0, 0.5, 0.25]]]]), np.array([[[[0.0, 1.0, 1.0, 0.0]]]])),
    "binary-wrong": (np.array([[[[0.0, 1.0, 0.5, 0.25]]]]), np.array([[[[1.0, 0.0, 1.0, 0.0]]]])),
    "binary-probabilities": (_counts[:, :1] / 10, BINARY.astype(float)),
    "binary-empty": (_counts[:, :1] / 10 * _some, (BINARY * _some).astype(float)),
}  # fmt: skip

_regions = INPUTS["multilabel"][1]
_left_out = _ignored(LABELS, 0.1, 0.35, 1.0) == VOID
INPUTS |= {
    "regions": (LOGITS, np.concatenate([_regions, _left_out[:, None]], axis=1)),
    "binary-labels": (BINARY_LOGITS, BINARY[:, 0]),
    "binary-labels-ignored": (BINARY_LOGITS, _ignored(BINARY[:, 0], 0.1, 0.35, 0.6)),
    "binary-labels-image-ignored": (BINARY_LOGITS, np.where(_left_out, VOID, BINARY[:, 0])),
}

FURTHER: dict[str, np.ndarray] = {
    "pixels": _powers(5, 523, 3, 3, 4) % 5 / 2.0,
    "images": np.array([1.0, 0.5, 3.0]),
    "kept": ~_left_out[:, None],
    "zeros-and-ones": _mask,
    "entries": _powers(11, 547, 3, 4, 3, 4) % 4 / 2.0,
}
"""What calls have beside logits and target."""

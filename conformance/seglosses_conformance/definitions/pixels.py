"""A few pixels that pixel losses are worked on by hand, and the short way to write such a case."""

from __future__ import annotations

from functools import partial
from math import log

import numpy as np

from .definition import case

# One class: the odds of p = 4/5, 3/5, 3/10 and 1/10, the first two of them foreground.
ODDS = np.array([[[log(4), log(3 / 2), log(3 / 7), log(1 / 9)]]])
YES_OR_NO = np.array([[1, 1, 0, 0]])
# Three classes, a row for each pixel; nobody is of class 2.
ROWS = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.3, 0.6, 0.1]])
ROW_LABELS = np.array([[0, 0, 0, 1]])
# Soft targets of one class, p = 3/5, 3/10 and 1/10.
SOFT_ODDS = np.array([[[log(3 / 2), log(3 / 7), log(1 / 9)]]])
HALVES = np.array([[[0.5, 0.5, 0.0]]])

worked_yes_or_no = partial(
    case, flags="worked sigmoid one-class", activation="sigmoid", logits=ODDS, target=YES_OR_NO
)
"""Of one class: p = 4/5, 3/5 where y = 1, 3/10, 1/10 where y = 0."""
worked_rows = partial(
    case, flags="worked identity", activation="identity", logits=ROWS.T[None], target=ROW_LABELS
)
"""Of three classes: 7/10, 3/5, 1/2, 3/5 at the labels."""

"""What every loss is, in scalar loops of arbitrary precision, written from the papers, sharing no code with the core.

`losses.py` is the part to read next to the papers, one function for each loss. `problem.py` says what pixels, targets
and weights are, `pooling.py` how a map becomes one number, `tape.py` differentiates. Nothing but mpmath is imported.
"""

from .losses import LOSSES, Expected, evaluate, updated_centers

__all__ = ["LOSSES", "Expected", "evaluate", "updated_centers"]

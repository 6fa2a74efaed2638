"""What every loss is, in scalar loops of arbitrary precision, written from the papers, sharing no code with the core.

The formula of a loss stands in its file of `losses/`. What formulas are written with is here: `problem.py` says what
pixels, targets and weights are, `family.py` what losses of one kind share, `pooling.py` how a map becomes one number,
`tape.py` differentiates, `evaluation.py` answers. Nothing but mpmath is imported.
"""

from .evaluation import Expected, evaluate

__all__ = ["Expected", "evaluate"]

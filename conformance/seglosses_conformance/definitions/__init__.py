"""What cases are made of. `python -m seglosses_conformance.generate` lets the oracle answer them.

`definition.py` says what a case is before it is answered, `arrays.py` has the numbers, `scenes.py` and `further.py`
what every loss is asked, `region.py`, `probabilities.py`, `heat_maps.py` and `weighted_entries.py` what those of a
family are asked beyond.
What a single loss is asked stands in its file of `losses/`.
"""

from .definition import Definition, case

__all__ = ["Definition", "case"]

"""The inputs of every case, by loss. `python -m seglosses_conformance.generate` lets the oracle answer them.

`scenes.py` and `further.py` hold what every loss is asked, of the arrays in `arrays.py`; the other files add, per loss,
what the standard scenes cannot know: an example worked by hand and the loss's own hyper-parameters. To add a loss, add
its list to a file's `DEFINITIONS`.
"""

from . import ensemble, local, pixel, region
from .arrays import Definition

DEFINITIONS: dict[str, list[Definition]] = {
    **pixel.DEFINITIONS,
    **region.DEFINITIONS,
    **local.DEFINITIONS,
    **ensemble.DEFINITIONS,
}

__all__ = ["DEFINITIONS", "Definition"]

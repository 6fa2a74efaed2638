"""The experiment of Duque-Arias et al. on power losses, repeated and extended: `python -m study --help`.

The claims of other sources, tested: `python -m study.papers --help`, and on VOC 2012: `python -m study.voc --help`.
"""

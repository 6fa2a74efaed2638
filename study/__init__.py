"""The experiment of Duque-Arias et al. on power losses, repeated and extended: `python -m study --help`."""

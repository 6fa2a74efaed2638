from seglosses_torch import *

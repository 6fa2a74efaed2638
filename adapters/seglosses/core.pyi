from seglosses_core import *

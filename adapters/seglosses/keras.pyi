from seglosses_keras import *

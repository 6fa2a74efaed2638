from seglosses_jax import *

"""Losses for image segmentation, for NumPy, PyTorch, JAX and Keras.

from seglosses.torch import DiceLoss

`seglosses.core`, `.torch`, `.jax` and `.keras` are the packages `seglosses_core`, `seglosses_torch`, `seglosses_jax`
and `seglosses_keras` themselves, imported when they are asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seglosses import core, jax, keras, torch

__version__ = "0.2.0"
__all__ = ["__version__", "core", "jax", "keras", "torch"]

_PACKAGES = ("core", "jax", "keras", "torch")


class _SamePackage(MetaPathFinder, Loader):
    """Finds `seglosses.torch` and what is in it as the module `seglosses_torch` and what is in that."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        first, _, rest = name.partition(".")
        if first != __name__ or rest.partition(".")[0] not in _PACKAGES:
            return None
        return ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.name.replace(".", "_", 1))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None  # the one from above, which the import system has just put there
        module.__spec__ = module.__spec__.loader_state


sys.meta_path.insert(0, _SamePackage())


def __getattr__(name: str) -> ModuleType:
    if name not in _PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__

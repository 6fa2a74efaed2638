"""MONAI's losses."""

from seglosses_core.presets.recipes.monai import pixel, region

__all__ = ["pixel", "region"]

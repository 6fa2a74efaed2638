"""Gaussian heat maps: the targets of `DistanceAwareCrossEntropyLoss` and `MeanSquaredErrorLoss`.

A heat map is 1 at the foreground and falls with the distance to it. It is float32 or float64, never less: in bfloat16 a
Gaussian of σ = 16 is 1 one pixel away from its peak already, and every 1 counts as foreground.
"""

from seglosses_core.heatmaps.from_labels import gaussian_heatmap_from_labels as gaussian_heatmap_from_labels
from seglosses_core.heatmaps.from_points import gaussian_heatmap as gaussian_heatmap
from seglosses_core.heatmaps.radius import cornernet_radius as cornernet_radius

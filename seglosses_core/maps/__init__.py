"""Functions of the target: exact distances, and weights that are made of them.

They have no derivative. In a data loader they are computed once for an image, in 3-D best before it is cropped.
"""

from seglosses_core.maps.from_instances import border_weights as border_weights
from seglosses_core.maps.from_instances import nearest_instance as nearest_instance
from seglosses_core.maps.from_labels import boundary_penalty as boundary_penalty
from seglosses_core.maps.from_labels import signed_distance_map as signed_distance_map

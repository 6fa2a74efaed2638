"""Parts of a batch on the processes of torch.distributed: groups, and logits that are DTensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from seglosses_core.across import Across
from seglosses_core.checks import check_choice
from seglosses_core.loss import Loss
from seglosses_torch.internals import distributed_tensors
from seglosses_torch.modes import is_transformed


@dataclass(frozen=True)
class Processes:
    """The members of process groups, one group after the other."""

    given: tuple[Any, ...]
    """Each "world", a ProcessGroup, or a DeviceMesh of one axis."""
    gradients: str = "mean"
    """How whoever trains brings the gradients of the members together, "mean" or "sum"."""
    meshes: tuple[Any, ...] = field(default=())
    """Groups whose gradients are added up in any case: those of a DTensor."""

    @property
    def factor(self) -> int | None:
        """What flows back into a part is multiplied by that."""
        if self.gradients == "sum":
            return None
        return _members(self.groups())

    def groups(self) -> list[Any]:
        return list(map(_group, self.given))

    def size(self) -> int:
        return _members([*self.meshes, *self.groups()])

    def all_reduce(self, vector: Tensor, op: str) -> Tensor:
        for group in [*self.meshes, *self.groups()]:
            vector = _all_reduce(vector, group, op)
        return vector

    def __repr__(self) -> str:
        started = dist.is_available() and dist.is_initialized()
        return f"{self.size()} ranks" if started else ", ".join(map(repr, self.given))

    def __deepcopy__(self, memo: Any) -> Processes:
        return self

    def __reduce__(self) -> Any:
        if self.meshes or any(group != "world" for group in self.given):
            raise TypeError(
                f"a loss across {self.given!r} cannot be pickled, for process groups cannot: pickle loss.alone(), and"
                " use across again where it is read; or use across with 'world'."
            )
        return Processes, (self.given, self.gradients)


def _members(groups: list[Any]) -> int:
    count = 1
    for group in groups:
        count *= dist.get_world_size(group)
    return count


def across(images: Any, pixels: Any, gradients: str) -> Across:
    """What `TorchLoss.across` is given, with groups of processes."""
    check_choice("gradients", gradients, ("mean", "sum"))
    found: dict[str, Any] = {}
    for name, given in (("images", images), ("pixels", pixels)):
        if given is None:
            continue
        _check_group(name, given)
        found[name] = Processes((given,), gradients)
    return Across(**found)


def _check_group(name: str, given: Any) -> None:
    if isinstance(given, str) and given == "world":
        return
    if _is_mesh(given):
        if given.ndim != 1:
            raise ValueError(
                f"{name} must be a mesh of one axis, such as mesh[{(given.mesh_dim_names or ('dp',))[0]!r}], got one of"
                f" {given.ndim}."
            )
        return
    if not (dist.is_available() and isinstance(given, dist.ProcessGroup)):
        raise TypeError(f"{name} must be 'world', a ProcessGroup or a DeviceMesh of one axis, got {given!r}.")


def _is_mesh(given: Any) -> bool:
    return type(given).__name__ == "DeviceMesh"


def _group(given: Any) -> Any:
    if _is_mesh(given):
        return given.get_group()
    if not isinstance(given, str):
        return given
    if not (dist.is_available() and dist.is_initialized()):
        raise RuntimeError(
            "a loss across 'world' needs torch.distributed.init_process_group(); on one process use loss.alone()."
        )
    return dist.group.WORLD


_OPERATIONS = {"sum": "SUM", "max": "MAX"}


def _all_reduce(vector: Tensor, group: Any, op: str) -> Tensor:
    kind = getattr(dist.ReduceOp, _OPERATIONS[op])
    if torch.compiler.is_compiling():
        # A compiler knows the derivative of this one, and would refuse the function below.
        whole = vector.clone()
        dist.all_reduce(whole, op=kind, group=group)
        return whole
    if op == "max" or not (vector.requires_grad or is_transformed(vector)):
        whole = vector.detach().clone()
        dist.all_reduce(whole, op=kind, group=group)
        return whole
    return _Sum.apply(vector, group)


class _Sum(torch.autograd.Function):
    """The sum over the members of a group. Its adjoint is itself: all of them hold what is made of it."""

    @staticmethod
    def forward(vector: Tensor, group: Any) -> Tensor:
        whole = vector.clone()
        dist.all_reduce(whole, group=group)
        return whole

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.group = inputs[1]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(upstream, ctx.group), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, group: Any) -> Tensor:
        return _Sum.apply(tangent, ctx.group)

    @staticmethod
    def vmap(info: Any, places: Any, vector: Tensor, group: Any) -> tuple[Tensor, int]:
        return _Sum.apply(vector, group), places[0]


def with_gradient_scaled(value: Tensor, factor: float) -> Tensor:
    """The value, with its gradient times a factor."""
    fixed = value.detach()
    change = torch.where(torch.isfinite(fixed), value - fixed, torch.zeros_like(fixed))
    return fixed + factor * change


def is_distributed(value: Any) -> bool:
    """Whether it is a DTensor, told by the type's name, without an import of torch.distributed."""
    return type(value) is not Tensor and any(kind.__name__ == "DTensor" for kind in type(value).__mro__)


def of_this_process(
    loss: Loss, given: dict[str, Any]
) -> tuple[Loss, dict[str, Any], Callable[[Tensor], Tensor]]:
    """For logits that are a DTensor: the loss across the axes of its mesh along which it is cut, what this process has
    of each argument, and what makes of a value one on the whole mesh.

    Whoever trains has the gradients of these axes added up, as DTensor does.
    """
    tensors = distributed_tensors()
    DTensor, Replicate, Shard = tensors.DTensor, tensors.Replicate, tensors.Shard

    logits = given["logits"]
    mesh, class_axis = logits.device_mesh, loss.class_axis % logits.ndim
    # Classes belong together, and so do sums that are still to be added up.
    placements = [
        place if isinstance(place, Shard) and place.dim % logits.ndim != class_axis else Replicate()
        for place in logits.placements
    ]
    groups: dict[str, list[Any]] = {"images": [], "pixels": []}
    for axis, place in enumerate(placements):
        if isinstance(place, Shard):
            groups["images" if place.dim % logits.ndim == 0 else "pixels"].append(mesh.get_group(axis))
    loss.check_parts(images=bool(groups["images"]), pixels=bool(groups["pixels"]))

    def placed(name: str, x: Tensor) -> list[Any]:
        """Where an argument is cut: as the logits are, of which it may lack the class axis, or all but the images; one
        without images nowhere."""
        if name in loss.inputs and "N" not in loss.inputs[name].shape.split():
            return [Replicate()] * mesh.ndim
        found = []
        for place in placements:
            axis = place.dim % logits.ndim if isinstance(place, Shard) else None
            if axis is not None and x.ndim == logits.ndim - 1 and axis > class_axis:
                axis -= 1
            found.append(Replicate() if axis is None or axis >= x.ndim else Shard(axis))
        return found

    def local(name: str, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        if not is_distributed(x):
            # What every process holds as a whole.
            x = DTensor.from_local(x, mesh, [Replicate()] * mesh.ndim, run_check=False)
        if x.device_mesh != mesh:
            raise TypeError(f"{name} must be on the mesh of the logits, {mesh}, got one on {x.device_mesh}.")
        places = placed(name, x)
        return x.redistribute(placements=places).to_local(grad_placements=places)

    own = {name: local(name, x) for name, x in given.items()}
    before = loss._across
    cut: dict[str, Any] = {}
    for name, found in groups.items():
        given_group = getattr(before, name, None)
        outer = given_group or Processes(())
        cut[name] = replace(outer, meshes=tuple(found)) if found else given_group

    def everywhere(value: Tensor) -> Tensor:
        return DTensor.from_local(value, mesh, [Replicate()] * mesh.ndim, run_check=False)

    return loss._with_across(Across(**cut) if any(cut.values()) else None), own, everywhere

"""PyTorch, eager and compiled."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from seglosses_conformance.frameworks.base import Array, Call, Evaluation, Framework, Unavailable
from seglosses_conformance.ways import DERIVATIVES, LAYOUTS


class Torch(Framework):
    """`torch.autograd.grad`; with `compiler` the function is compiled by that backend of `torch.compile`, whole unless
    `in_parts`."""

    library = "torch"
    ways = (
        "upstream", "loss scale", "backward twice", "after another", "autocast", "inference mode", *DERIVATIVES,
        *(layout for layout in LAYOUTS if layout != "backwards"),
    )  # fmt: skip

    def __init__(self, device: str = "cpu", compiler: str | None = None) -> None:
        import torch

        if device != "cpu" and not torch.cuda.is_available():
            raise Unavailable("torch finds no CUDA device")
        self.device = device
        self.compiler = compiler
        self.in_parts = False

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import torch

        return torch.tensor(values, device=self.device, dtype=getattr(torch, dtype))

    def numpy(self, array: Array) -> np.ndarray:
        import torch

        return array.detach().to(device="cpu", dtype=torch.float64).numpy()

    def evaluate(self, call: Call) -> Evaluation:
        import torch

        values, function = [], call.function
        if self.compiler is not None:
            torch.compiler.reset()  # each loss is compiled anew; what earlier ones left would count against a limit
            whole = (
                not self.in_parts and torch.__version__ >= "2.8"
            )  # earlier compilers take losses in parts only
            function = torch.compile(function, fullgraph=whole, dynamic=False, backend=self.compiler)
        elif call.wrt:
            with torch.no_grad():
                values.append(call())
        varied = _leaves(call)
        value = function(**{**call.arrays, **varied})
        values.append(value)
        total = (value * call.upstream).sum()
        gradients = torch.autograd.grad(total, list(varied.values())) if varied else ()
        return Evaluation(values, dict(zip(varied, gradients, strict=True)))

    def joined(self, arrays: list[Array]) -> Array:
        import torch

        return torch.cat(arrays)

    def laid_out(self, array: Array, layout: str) -> Array:
        if layout == "sliced":
            for axis in range(array.ndim):
                array = array.repeat_interleave(2, axis)
            return array[(slice(None, None, 2),) * array.ndim]
        if layout == "channels last":
            return array.movedim(1, -1).contiguous().movedim(-1, 1) if array.ndim > 2 else array
        if layout == "transposed":
            backwards = tuple(range(array.ndim))[::-1]
            return array.permute(backwards).contiguous().permute(backwards)
        return array[:1].expand(array.shape)

    def backward_twice(self, call: Call) -> Evaluation:
        varied = _leaves(call)
        value = call(**varied)
        total = (value * call.upstream).sum()
        total.backward(retain_graph=True)
        total.backward()
        return Evaluation([value], {name: leaf.grad / 2 for name, leaf in varied.items()})

    def autocast(self, call: Call) -> Evaluation:
        import torch

        with torch.autocast(self.device, torch.bfloat16):
            return self.evaluate(call)

    def inference_mode(self, call: Call) -> Evaluation:
        import torch

        with torch.inference_mode():
            return self.evaluate(call)

    def compiled(self, call: Call) -> Evaluation:
        import torch

        compiling = copy.copy(self)
        compiling.compiler = "aot_eager"
        try:
            return compiling.evaluate(call)
        except torch._dynamo.exc.TorchDynamoException as error:
            compiling.in_parts = True
            evaluation = compiling.evaluate(call)
            evaluation.remark = f"torch.compile takes it in parts only: {str(error).partition(chr(10))[0]}"
            return evaluation

    def curvature(self, call: Call, direction: Array) -> Array:
        import torch

        logits = call.arrays["logits"].detach().requires_grad_()
        value = call(logits=logits)
        (gradient,) = torch.autograd.grad(value, logits, create_graph=True)
        # Where the gradient is constant torch has no graph to differentiate.
        along = (gradient * direction).sum()
        if not along.requires_grad:
            return torch.zeros_like(logits)
        (curvature,) = torch.autograd.grad(along, logits, materialize_grads=True)
        return curvature

    def environment(self) -> dict[str, Any]:
        import torch

        settings = {
            "torch threads": torch.get_num_threads(),
            "torch TF32 in matmul": torch.backends.cuda.matmul.allow_tf32,
            "torch TF32 in cuDNN": torch.backends.cudnn.allow_tf32,
        }
        if self.device != "cpu":
            settings["torch device"] = torch.cuda.get_device_name()
        return settings


def _leaves(call: Call) -> dict[str, Array]:
    return {name: call.arrays[name].detach().requires_grad_() for name in call.wrt}

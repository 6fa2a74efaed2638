"""A call of a library in PyTorch: what it computes, how long it takes, and what memory."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import time
from typing import Any

import numpy as np
import torch

from benchmarks.cases import Case
from benchmarks.competitors import OURS
from benchmarks.competitors.on_torch import LIBRARIES
from benchmarks.gpu.inputs import make_inputs
from benchmarks.gpu.plan import Job
from benchmarks.memory import resident_peak
from benchmarks.worker import in_form

Tensor = torch.Tensor


@functools.cache
def _inputs(case: Case, device: str) -> tuple[Tensor, Tensor]:
    """Logits and labels, with one class a mask, which stay on the device: making them takes longer than using them."""
    if case.dtype != "float32":
        logits, target = _inputs(dataclasses.replace(case, dtype="float32"), device)
        dtype = getattr(torch, case.dtype)
        return logits.detach().to(dtype), target.to(dtype) if case.binary else target
    logits, labels = map(torch.from_numpy, make_inputs(case))
    if case.binary:
        labels = torch.from_numpy(in_form(labels.numpy(), case, "mask"))
    return logits.to(device, copy=True), labels.to(device, copy=True)


def _zeros(case: Case, device: str) -> tuple[Tensor, Tensor]:
    """Of the same shapes and dtypes, where values do not matter."""
    dtype = getattr(torch, case.dtype)
    logits = torch.zeros(case.shape, dtype=dtype, device=device)
    labels = (case.shape[0], *case.shape[2:])
    return logits, logits if case.binary else torch.zeros(labels, dtype=torch.int64, device=device)


class Call:
    """One library with the inputs of a case."""

    def __init__(self, job: Job, device: str, inputs: tuple[Tensor, Tensor] | None = None) -> None:
        logits, self.target = inputs or _inputs(job.case, device)
        self.device, self.logits = device, logits.detach().requires_grad_()
        competitor = LIBRARIES[job.library](job.case, job.loss)
        assert competitor is not None
        self.function = competitor.function
        if job.mode == "compile":
            torch.compiler.reset()  # a shape that is not the first would be taken for one of many
            self.function = torch.compile(self.function)

    @property
    def bytes_moved(self) -> int:
        """By the limit: logits and target are read twice, and the gradient is written."""
        return 3 * self.logits.nbytes + 2 * self.target.nbytes

    def evaluate(self) -> tuple[Tensor, Tensor]:
        value = self.function(self.logits, self.target)
        return value, torch.autograd.grad(value, self.logits)[0]

    def wait(self, result: Any = None) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def sample(self, places: np.ndarray) -> tuple[float, np.ndarray]:
        """The value, and the gradient at some places of `(N, C, *S)`."""
        value, gradient = self.evaluate()
        at = torch.from_numpy(places).to(self.device)
        return float(value.detach()), gradient.reshape(-1)[at].double().cpu().numpy()

    def times(self, repeats: int) -> list[float]:
        """Seconds of calls that follow each other without waiting, as in training."""
        if self.device != "cuda":
            return [self.seconds_until_done() for _ in range(repeats)]
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
        self.evaluate()
        marks[0].record()
        for mark in marks[1:]:
            self.evaluate()
            mark.record()
        self.wait()
        return [before.elapsed_time(after) / 1e3 for before, after in itertools.pairwise(marks)]

    def seconds_until_done(self) -> float:
        start = time.perf_counter()
        self.evaluate()
        self.wait()
        return time.perf_counter() - start

    def peak(self) -> int:
        """Bytes beyond logits and gradient."""
        if self.device != "cuda":
            return resident_peak(self.evaluate) - self.logits.nbytes
        self.wait()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        result = self.evaluate()
        self.wait()
        del result
        return torch.cuda.max_memory_allocated() - before - self.logits.nbytes


def reference(case: Case, loss: str, device: str, places: np.ndarray) -> tuple[float, np.ndarray]:
    """Ours in float64, from the same logits."""
    call = Call(Job(case, loss, "torch", "eager", OURS), device)
    call.logits = call.logits.detach().double().requires_grad_()
    if case.binary:
        call.target = call.target.double()
    return call.sample(places)


def compile_only(job: Job, device: str) -> None:
    """Leaves what compilers make, that of kernels too, in their caches, from one core."""
    if job.mode == "compile":
        import torch._inductor.config

        torch._inductor.config.compile_threads = 1
    Call(job, device, _zeros(job.case, device)).evaluate()


def release() -> None:
    """Gives memory back, for another process; an error if the device is lost."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else "CPU"

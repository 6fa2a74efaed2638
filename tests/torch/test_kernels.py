"""The kernels for GPUs, without a GPU: compiled for two of them, and interpreted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

triton = pytest.importorskip("triton", reason="Triton is not installed; it is for Linux alone")

import torch  # noqa: E402
import triton.language as tl  # noqa: E402
from torch.torch_version import TorchVersion  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource, CompiledKernel  # noqa: E402
from triton.runtime import driver  # noqa: E402

import seglosses_torch  # noqa: E402
from seglosses_torch import kernels, replay  # noqa: E402
from seglosses_torch.kernels import neighbours, passes, ratio  # noqa: E402

DICE = ((1, 1), (1, -1), (-1, 1))
POWERS = ((1, 1), (1.5, 0), (0, 1.5))
SQUARES = ((1, 1), (-2, -2))
POINTERS = {"valid": "*u8", "slopes": "*fp64", "labels": "*i64"}
RESOURCES = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"


def compiled(
    kernel: Any,
    constants: dict[str, Any],
    warps: int,
    logits: str,
    architecture: int,
    *,
    axis: str = "s",
    labels: str = "*i64",
) -> Any:
    """As a call with arrays would compile it whose pixels are a multiple of 16; pixels are neighbours in memory, or
    with the `axis` "c" classes, or with "" neither."""
    ones = (f"logits_{axis}", f"target_{axis}", "at_s", "x_s")
    wide = "*fp64" if logits == "*fp64" else "*fp32"
    signature, known, facts = {}, {}, {}
    for place, name in enumerate(kernel.arg_names):
        if name in constants or name in ones:
            signature[name], known[name] = "constexpr", constants.get(name, 1)
        elif name in ("logits", "gradient", "x", "totals") or (name == "target" and constants.get("SOFT")):
            signature[name] = logits if name != "target" else wide
        elif name in ("first", "second", "third", "fourth", "results"):
            signature[name] = "*fp64"
        elif name in (
            "valid", "slopes", "target", "weights", "sums", "logs", "rests", "at_label", "value", "labels", "number"
        ):  # fmt: skip
            signature[name] = labels if name == "target" else POINTERS.get(name, wide)
        else:
            signature[name] = "i32"
        if signature[name] != "constexpr" and name not in ("slopes_m", "slopes_n", "rows", "row_stride"):
            facts[(place,)] = [["tt.divisibility", 16]]
    source = ASTSource(fn=kernel, signature=signature, constexprs=known, attrs=facts)
    options = {"num_warps": warps, "enable_fp_fusion": True}
    return triton.compile(source, target=GPUTarget("cuda", architecture, 32), options=options)


def spilled(made: Any) -> int:
    """The bytes of registers that did not find a place, per thread."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(made.asm["cubin"])
        file.flush()
        told = subprocess.run(
            [RESOURCES, "--dump-resource-usage", file.name], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"STACK:(\d+)", told)
    assert found, told
    return int(found[1])


def variants() -> list[Any]:
    """Few classes and many, labels and soft targets, each with what makes another program of it."""
    found: list[Any] = []
    for classes in (2, 14, 21, 105):
        for moments, at_label in ((DICE, False), ((), True)):
            for logits in ("*fp32", "*bf16") if classes == 14 else ("*fp32",):
                found.append((classes, moments, at_label, logits, {}))
    found += [
        (14, POWERS, False, "*fp32", {"HAS_VALID": True, "HAS_WEIGHTS": True}),
        (14, SQUARES, False, "*fp32", {}),
        (105, SQUARES, False, "*fp32", {}),
        (5, SQUARES, False, "*fp32", {"SOFT": True, "HAS_VALID": True, "HAS_WEIGHTS": True}),
        (14, DICE, False, "*fp16", {"WIDE": True}),
        (14, DICE, False, "*fp32", {"BYTES": True}),
        (14, (), True, "*fp32", {"GAPS": True}),
        (5, DICE, False, "*fp32", {"SOFT": True, "HAS_VALID": True, "HAS_WEIGHTS": True}),
        (105, POWERS, False, "*fp32", {"SOFT": True, "HAS_VALID": True, "HAS_WEIGHTS": True}),
        (5, DICE, False, "*fp64", {}),
        (105, POWERS, False, "*fp64", {"HAS_VALID": True, "WIDE": True}),
    ]
    for classes, logits in (
        (2, "*fp32"),
        (14, "*fp32"),
        (14, "*bf16"),
        (21, "*fp16"),
        (150, "*fp32"),
        (14, "*fp64"),
    ):
        for moments, at_label in ((DICE, False), ((), True)):
            found.append((classes, moments, at_label, logits, {"LAST": True}))
    found.append(
        (5, POWERS, False, "*fp32", {"LAST": True, "SOFT": True, "HAS_VALID": True, "HAS_WEIGHTS": True})
    )
    found.append((14, SQUARES, False, "*fp32", {"LAST": True}))
    found = [("softmax", *one) for one in found]
    found += [
        ("sigmoid", 1, DICE, False, "*fp32", {"SOFT": True}),
        ("sigmoid", 1, (), True, "*bf16", {"SOFT": True, "HAS_VALID": True}),
        ("sigmoid", 1, SQUARES, False, "*fp32", {"SOFT": True}),
        ("sigmoid", 14, POWERS, False, "*fp16", {"HAS_VALID": True, "HAS_WEIGHTS": True}),
        ("sigmoid", 14, (), True, "*fp64", {"WIDE": True}),
    ]
    return [
        pytest.param(
            *one, id=f"{one[0]}-{one[1]}-{len(one[2])}-{one[4][1:]}-{'-'.join(one[5]).lower() or 'plain'}"
        )
        for one in found
    ]


@pytest.mark.parametrize(("activation", "classes", "moments", "at_label", "logits", "options"), variants())
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("architecture", [80, 90])
def test_compiles_without_spills(
    architecture: int,
    back: bool,
    activation: str,
    classes: int,
    moments: passes.Exponents,
    at_label: bool,
    logits: str,
    options: dict[str, bool],
) -> None:
    """The interpreter accepts what the compiler refuses."""
    double = logits == "*fp64"
    options = dict(options)
    last = options.pop("LAST", False)  # the classes
    axis = "" if options.pop("GAPS", False) else "c" if last else "s"
    labels = "*u8" if options.pop("BYTES", False) else "*i64"
    cut = passes.cut_of(activation, classes, double=double, side_by_side=last)[back]
    named, exponents = passes.described(moments or ((1, 1),))
    constants = {
        "SOFT": False, "HAS_VALID": False, "HAS_WEIGHTS": False, "WIDE": False, **options,
        "C": classes, "B": cut.pixels, "M": len(moments), "MOMENTS": named, "AT_LABEL": at_label,
        "D": tl.float64 if double else tl.float32,
    }  # fmt: skip
    kernel = passes.kernels_of(activation, cut)[back]
    if back:
        constants |= {"K": len(exponents), "EXPONENTS": exponents}
    else:
        constants |= {"PER_THREAD": cut.per_thread, "STEPS": 4} if cut.per_thread else {}
    if cut.tile:
        constants |= {"CP": cut.tile} if back else {"CP": cut.tile, "STEPS": 4}
    made = compiled(kernel, constants, cut.warps, logits, architecture, axis=axis, labels=labels)
    # Of float64, Triton 3.7 and 3.8 have no place for one number of one variant each, 3.9 for all.
    assert spilled(made) <= (8 if double and TorchVersion(triton.__version__) < (3, 9) else 0)


@pytest.mark.parametrize("architecture", [80, 90])
def test_the_ratio_compiles(architecture: int) -> None:
    constants = {
        "C": 14, "CP": 16, "M": 3, "COEFFICIENTS": ((2, 2), (0, 1), (0, 1.5)), "ABOVE": 1e-5, "BELOW": 1e-5,
    }  # fmt: skip
    assert spilled(compiled(ratio.ratio_of_sums, constants, 1, "*fp32", architecture)) == 0


@pytest.mark.parametrize("architecture", [80, 90])
def test_the_window_compiles(architecture: int) -> None:
    constants = {
        "R0": 3, "R1": 3, "R2": 3, "C": 14, "K": neighbours.CLASSES, "B": neighbours.PIXELS, "WIDE": False,
        "D": tl.float32,
    }  # fmt: skip
    kernel = neighbours.sum_of_neighbours
    assert spilled(compiled(kernel, constants, neighbours.WARPS, "*fp32", architecture)) == 0


class NoDriver:
    """A device for Triton to compile for, where nothing runs."""

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)


def test_what_is_replayed_is_started_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the compiled kernels, which the interpreter has not, with the same arguments in the same places."""
    started: list[tuple[Any, ...]] = []

    def run(self: Any) -> Any:
        def start(*arguments: Any) -> None:
            *grid, _stream, _function, _packed, _metadata, _enter, _leave = arguments[:9]
            started.append((self.name, *grid, *(getattr(x, "shape", x) for x in arguments[9:])))

        return start

    monkeypatch.setattr(CompiledKernel, "_init_handles", lambda self: None)
    monkeypatch.setattr(CompiledKernel, "run", property(run))
    monkeypatch.setattr(kernels, "_devices", lambda: ("cpu",))
    monkeypatch.setattr(driver, "_active", NoDriver())
    monkeypatch.setattr(replay, "CALLS_BEFORE", 1)
    loss = seglosses_torch.DiceLoss() + seglosses_torch.CrossEntropyLoss()
    logits = torch.zeros(2, 5, 4, 4, requires_grad=True)
    labels = torch.zeros(2, 4, 4, dtype=torch.uint8)
    calls = []
    for _ in range(3):
        started.clear()
        loss(logits, labels).backward()
        calls.append(started.copy())
    anew, written_down, replayed = calls
    assert len(anew) == 4
    assert replayed == anew
    assert written_down == 2 * anew


@pytest.mark.parametrize("cases", ["a sample", pytest.param("whole", marks=pytest.mark.slow)])
def test_interpreted(cases: str) -> None:
    """Value and gradient of what is fused and of what is not, in all layouts and dtypes, against float64."""
    program = Path(__file__).with_name("fused_cases.py")
    ran = subprocess.run(
        [sys.executable, program, cases],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "OK\n", ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("release", "devices"), [("2.7.1", ()), ("2.8.0+cu128", ("cuda",)), ("2.10.0", ("cuda",))]
)
def test_kernels_are_left_aside_before_torch_2_8(
    release: str, devices: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "__version__", TorchVersion(release))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert kernels._served.__wrapped__() == devices


def test_no_triton_without_a_gpu() -> None:
    """Whoever has no GPU never waits for the import of Triton, or of the compilers; nor when a call is written down."""
    code = """
import sys, torch, seglosses_torch
logits, loss = torch.zeros(1, 2, 4, requires_grad=True), seglosses_torch.DiceLoss()
seglosses_torch.replay.CALLS_BEFORE = 1
for _ in range(3):
    loss(logits, torch.zeros(1, 4, dtype=torch.int64)).backward()
print([name for name in ("triton", "torch._dynamo", "torch._inductor") if name in sys.modules])
"""
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )

"""The losses through the kernels for GPUs, in Triton's interpreter, which is chosen when Triton is imported: run by
test_kernels.py in a process of its own. Prints what differs from float64 without kernels, and OK at the end."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from triton.runtime.interpreter import GridExecutor

import seglosses_torch
from seglosses_torch import function, kernels, replay
from seglosses_torch.eager import EagerOps
from seglosses_torch.presets import monai

CLASSES, SPACE = 5, (9, 7)


def losses() -> dict[str, Any]:
    t = seglosses_torch
    return {
        "dice": t.DiceLoss(),
        "cross-entropy": t.CrossEntropyLoss(),
        "focal": t.FocalLoss(),
        "power-jaccard": t.PowerJaccardLoss(p=1.5),
        "dice and cross-entropy": t.DiceLoss() + t.CrossEntropyLoss(),
        "sums of two kinds": t.DiceLoss() + t.PowerJaccardLoss() + t.TverskyLoss(aggregate="batch"),
        "class weights": t.CrossEntropyLoss(class_weights=[1, 2, 3, 0, 5.0]),
        "batch": t.TverskyLoss(alpha=0.3, beta=0.7, aggregate="batch", ignore_index=0, absent="skip"),
        "generalized": t.GeneralizedDiceLoss(),
        "logarithm": t.JaccardLoss(log=True),
        "pooling": t.FocalLoss(reduction=t.TopK(fraction=0.3)),
        "locally adaptive": t.LocallyAdaptiveLoss(kernel_size=5, cost=t.FocalLoss()),
        "not fused": t.CrossEntropyLoss(label_smoothing=0.1) + t.DiceLoss(),
        "overlapping": t.DiceLoss(activation="sigmoid"),
        "overlapping, both": t.DiceLoss(activation="sigmoid") + t.CrossEntropyLoss(activation="sigmoid"),
        "overlapping, focal": t.FocalLoss(activation="sigmoid", class_weights=[1, 2, 3, 0, 5.0]),
        "overlapping, powers": t.PowerJaccardLoss(p=1.5, activation="sigmoid", aggregate="batch"),
        "squares": t.PowerDiceLoss(p=2),
    }


def problems() -> dict[str, tuple[Tensor, dict[str, Tensor]]]:
    labels = torch.randint(0, CLASSES, (2, *SPACE))
    soft = torch.randn(2, CLASSES, *SPACE).softmax(1)
    mask = torch.rand(2, *SPACE) > 0.3
    return {
        "labels": (labels, {}),
        "bytes": (labels.to(torch.uint8), {"mask": mask}),
        "weights": (
            labels,
            {"mask": torch.rand(2, *SPACE) * mask, "sample_weight": torch.tensor([1.0, 3.0])},
        ),
        "soft": (soft, {"mask": mask}),
        "several": (torch.rand(2, CLASSES, *SPACE) > 0.6, {"mask": mask}),
        "entries": (labels, {"mask": torch.rand(2, CLASSES, *SPACE) * (soft > 0.1)}),
    }


def certain(labels: Tensor) -> Tensor:
    """Logits in float16 that are right, and sure enough for a gradient that float16 does not have."""
    noise = torch.rand(len(labels), CLASSES, *SPACE) / 4
    return (noise + 11 * torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 1)).half()


def run(loss: Any, logits: Tensor, target: Tensor, weights: dict[str, Tensor], factor: float) -> Any:
    return calls(loss, logits, target, weights, factor, before=0)


def calls(
    loss: Any, logits: Tensor, target: Tensor, weights: dict[str, Tensor], factor: float, before: int = 2
) -> Any:
    """The third of three calls, which replays what the second has written down: of other arrays of the same form."""
    for other in [True] * before + [False]:
        scores, labels, *more = (_flipped(x, other) for x in (logits, target, *weights.values()))
        value = loss(scores.requires_grad_(), labels, **dict(zip(weights, more, strict=True)))
        (factor * value).backward()
    return value.detach(), scores.grad


def _flipped(x: Tensor, other: bool) -> Tensor:
    """A copy in the same layout, with gaps where there are gaps; of another array if it is to be."""
    lengths = sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True)) + 1
    copy = torch.empty(lengths, dtype=x.dtype).as_strided(x.shape, x.stride())
    return copy.copy_(x.flip(0) if other else x)


def expected(loss: Any, logits: Tensor, target: Tensor, weights: dict[str, Tensor], factor: float) -> Any:
    loss = copy.deepcopy(loss)  # which remembers no calls
    chosen, function.eager_operations = function.eager_operations, lambda *_: EagerOps
    try:
        target = target.double() if target.is_floating_point() else target
        return run(loss, logits.double(), target, weights, factor)
    finally:
        function.eager_operations = chosen


def differs(name: str, found: Any, right: Any, tolerance: float) -> list[str]:
    (value, gradient), (right_value, right_gradient) = found, right
    wrong = []
    if abs(value - right_value) > 2e-6 * abs(right_value):
        wrong.append(f"{name}: value {value}, expected {right_value}")
    error = (gradient - right_gradient).abs().max() / right_gradient.abs().max()
    if not error <= tolerance:
        wrong.append(f"{name}: gradient off by {error}")
    return wrong


def everything(*, whole: bool) -> list[str]:
    """`whole`: every loss on every problem; if not, each on one or two of them."""
    torch.manual_seed(0)
    wrong: list[str] = []
    logits = 3 * torch.randn(2, CLASSES, *SPACE)
    assert kernels.serve(logits, 1)
    assert not kernels.serve(torch.zeros(40_000, 2), 1)  # points: more than CUDA starts on one axis
    for i, (kind, (target, weights)) in enumerate(problems().items()):
        for j, (name, loss) in enumerate(losses().items()):
            if kind in ("soft", "several") and name in ("batch", "locally adaptive"):
                continue  # which are for labels
            if kind == "entries" and not name.startswith("overlapping"):
                continue
            if (i + j) % 7 and not whole and kind != "entries":
                continue
            arguments = target, weights, 1.0
            name = f"{name}, {kind}"
            wrong += differs(name, calls(loss, logits, *arguments), expected(loss, logits, *arguments), 5e-6)
    labels, both = torch.randint(0, CLASSES, (2, *SPACE)), losses()["dice and cross-entropy"]
    some_losses = dict([*losses().items()][:: 1 if whole else 6])

    # Layouts: channels last, and pixels with gaps between them.
    for name, layout in {
        "channels last": logits.to(memory_format=torch.channels_last),
        "gaps": torch.cat([logits, logits], -1)[..., ::2],
        "transposed": logits.transpose(2, 3).contiguous().transpose(2, 3),
    }.items():
        arguments = labels, {}, 1.0
        wrong += differs(name, calls(both, layout, *arguments), expected(both, layout, *arguments), 5e-6)

    for dtype in (torch.int8, torch.int16, torch.int32):
        arguments = labels.to(dtype), {}, 1.0
        wrong += differs(str(dtype), run(both, logits, *arguments), expected(both, logits, *arguments), 5e-6)

    # The factor of a gradient scaler meets the slope before the rounding of halves.
    halves = logits.half()
    arguments = labels, {}, 2.0**14
    found = calls(both, halves, *arguments)
    assert found[1].dtype == torch.float16
    wrong += differs("float16", found, expected(both, halves, *arguments), 1e-3)
    tiny = run(both, halves, labels, {}, 2.0**-10)[1]
    if not tiny.count_nonzero():
        wrong.append("float16: nothing is left of a small factor")
    # So it does where the gradient is made with the value, since something is formed beside the passes.
    recall, surely = seglosses_torch.RecallCrossEntropyLoss(), certain(labels)
    arguments = labels, {}, 2.0**14
    wrong += differs(
        "float16, formed", run(recall, surely, *arguments), expected(recall, surely, *arguments), 1e-3
    )

    # float64, many classes, and −inf.
    arguments = labels, {}, 1.0
    wrong += differs(
        "float64", run(both, logits.double(), *arguments), expected(both, logits, *arguments), 1e-12
    )
    many, of_many = torch.randn(1, 60, 11), torch.randint(0, 60, (1, 11))
    arguments = of_many, {}, 1.0
    wrong += differs("60 classes", run(both, many, *arguments), expected(both, many, *arguments), 5e-6)
    for name, some in {"-inf": logits, "-inf of 60": many}.items():
        target = labels if some is logits else of_many
        some = some.clone()
        some[0, 0] = torch.where(target[0] == 0, some[0, 0], -torch.inf)
        arguments = target, {}, 1.0
        wrong += differs(name, run(both, some, *arguments), expected(both, some, *arguments), 5e-6)

    # Near perfection, where differences of sums have no digits: few classes, many, channels last, and overlapping ones.
    for classes in (CLASSES, 60):
        clear = torch.randint(0, classes, (2, 6, 7))
        hot = torch.nn.functional.one_hot(clear, classes).movedim(-1, 1).float()
        sure = 15 * hot + torch.rand(2, classes, 6, 7)
        for name, scores, target, activation in (
            ("labels", sure, clear, "softmax"),
            ("one-hot", sure, hot, "softmax"),
            ("last", sure.to(memory_format=torch.channels_last), clear, "softmax"),
            ("last, one-hot", sure.to(memory_format=torch.channels_last), hot, "softmax"),
            ("overlapping", sure - 8, hot, "sigmoid"),
            ("overlapping, labels", sure - 8, clear, "sigmoid"),
        ):
            for kind in ("Dice", "PowerDice", "PowerJaccard"):
                arguments = target, {}, 1.0
                loss = getattr(seglosses_torch, f"{kind}Loss")(activation=activation, smooth=0)
                found = run(loss, scores, *arguments)
                wrong += differs(
                    f"{kind} near perfection, {classes} classes, {name}",
                    found,
                    expected(loss, scores, *arguments),
                    1e-5,
                )

    # Windows in three dimensions, of more classes than a block has, wider than the image.
    volume, of_volume = torch.randn(2, 11, 3, 4, 5), torch.randint(0, 2, (2, 3, 4, 5))
    adaptive = seglosses_torch.LocallyAdaptiveLoss(kernel_size=9)
    arguments = of_volume, {}, 1.0
    wrong += differs("3-D", run(adaptive, volume, *arguments), expected(adaptive, volume, *arguments), 5e-6)

    # What is ignored may be NaN, and a label that is no class makes all NaN.
    valid = torch.rand(2, *SPACE) > 0.2
    poisoned = torch.where(valid[:, None], logits, torch.nan)
    strange = torch.where(valid, labels, -7)
    found = run(both, poisoned, strange, {"mask": valid}, 1.0)
    wrong += differs("ignored", found, expected(both, logits, labels, {"mask": valid}, 1.0), 5e-6)
    for loss in (losses()["dice"], losses()["cross-entropy"], both, losses()["overlapping, both"]):
        value, gradient = run(loss, logits, strange, {}, 1.0)
        if not (value.isnan() and gradient.isnan().all()):
            wrong.append(f"a label outside the classes: {loss}: {value}")

    # What a call held is let go with its value, and not when Python looks for cycles.
    def tensors() -> int:
        return sum(issubclass(type(x), Tensor) for x in gc.get_objects())

    gc.disable()
    for name, loss in some_losses.items():
        again = logits.clone().requires_grad_()
        for _ in range(3):  # not replayed, written down, replayed
            before = tensors()
            torch.autograd.grad(loss(again, labels), again)
        if tensors() > before:
            wrong.append(f"held after the call: {name}")
    gc.enable()

    # Backward twice, a second derivative, and no gradient at all.
    for name, loss in some_losses.items():
        again = logits.clone().requires_grad_()
        value = loss(again, labels)
        value.backward(retain_graph=True)
        once = again.grad.clone()
        value.backward()
        if not torch.allclose(again.grad, 2 * once, rtol=1e-5, atol=1e-9):
            wrong.append(f"backward twice: {name}")
        with torch.no_grad():
            if not all(torch.allclose(loss(logits, labels), value, rtol=1e-6) for _ in range(3)):
                wrong.append(f"without gradient: {name}")
    again = logits.double().requires_grad_()
    for _ in range(3):
        (slope,) = torch.autograd.grad(both(again, labels), again, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.square().sum(), again)
    if not curvature.abs().max() > 0:
        wrong.append("second derivative")
    return wrong


def compiled() -> list[str]:
    """In a compiled program the kernels are operations of their own."""
    torch.manual_seed(1)
    warnings.filterwarnings("ignore", ".*should not be instantiated", DeprecationWarning)  # PyTorch's own
    wrong: list[str] = []
    logits, given, known = 3 * torch.randn(2, CLASSES, *SPACE), problems(), losses()
    both = known["dice and cross-entropy"]
    for name, loss, kind, scores in [
        ("one pass", both, "labels", logits),
        ("weights", both, "weights", logits),
        ("soft", known["dice"], "soft", logits),
        ("two passes", known["sums of two kinds"], "weights", logits),
        ("not fused", known["not fused"], "labels", logits),
        ("locally adaptive", known["locally adaptive"], "bytes", logits),
        ("overlapping", known["overlapping"], "several", logits),
        ("overlapping, both", known["overlapping, both"], "several", logits),
        ("halves", both, "labels", logits.half()),
        ("halves, formed", seglosses_torch.RecallCrossEntropyLoss(), "labels", certain(given["labels"][0])),
    ]:
        target, weights = given[kind]
        torch.compiler.reset()  # or what earlier ones left counts against a limit
        arguments, tolerance = (target, weights, 2.0**10), 1e-3 if name.startswith("halves") else 5e-6
        found = run(torch.compile(loss, backend="aot_eager", fullgraph=True), scores, *arguments)
        if found[1].dtype != scores.dtype:
            wrong.append(f"compiled, {name}: a gradient of {found[1].dtype}")
        wrong += differs(f"compiled, {name}", found, expected(loss, scores, *arguments), tolerance)
    torch.compiler.reset()
    target, _ = given["labels"]
    graph = torch.compile(both, backend="inductor", fullgraph=True, dynamic=True)
    for shape in (slice(None), slice(1, 6), slice(0, 4)):
        arguments = target[:, shape], {}, 1.0
        some = logits[:, :, shape].contiguous()
        wrong += differs(
            f"compiled, {shape}", run(graph, some, *arguments), expected(both, some, *arguments), 5e-6
        )
    torch.compiler.reset()
    with torch.no_grad():
        value = torch.compile(both, backend="aot_eager", fullgraph=True)(logits, target)
    if not torch.allclose(value, both(logits, target), rtol=2e-6):
        wrong.append("compiled, without gradient")
    return wrong


def replayed() -> list[str]:
    """A program of an earlier call knows nothing of it but its form."""
    torch.manual_seed(2)
    wrong: list[str] = []
    logits, labels = torch.randn(2, CLASSES, *SPACE), torch.randint(0, CLASSES, (2, *SPACE))

    def programs(loss: Any) -> int:
        return len(loss._programs.known())

    # Tensors among the hyper-parameters take other values, or others take their place.
    weights = torch.tensor([1.0, 2, 3, 4, 5])
    weighted = seglosses_torch.CrossEntropyLoss(class_weights=weights.clone())
    for change in (
        None,
        None,
        weighted.class_weights.neg_,
        weighted.class_weights.neg_,
        weighted.class_weights.sqrt_,
    ):
        if change is not None:
            change()
        arguments = logits, labels, {}, 1.0
        if not (weighted.class_weights < 0).any():
            wrong += differs("weights", calls(weighted, *arguments), expected(weighted, *arguments), 5e-6)
    weighted.class_weights = weights.square()
    wrong += differs("new weights", calls(weighted, *arguments), expected(weighted, *arguments), 5e-6)
    both = seglosses_torch.DiceLoss(class_weights=weights) + seglosses_torch.CrossEntropyLoss(
        class_weights=weights
    )
    wrong += differs("shared weights", calls(both, *arguments), expected(both, *arguments), 5e-6)
    for member in both.losses:
        member.class_weights = weights.sqrt()
    wrong += differs("no longer shared", calls(both, *arguments), expected(both, *arguments), 5e-6)
    steered = seglosses_torch.DiceLoss() + seglosses_torch.CrossEntropyLoss()
    for steered.weights in ([0.2, 0.8], [0.3, 0.7], [0.9, 0.1]):
        wrong += differs("set weights", calls(steered, *arguments), expected(steered, *arguments), 5e-6)
    both = losses()["dice and cross-entropy"]
    calls(both, *arguments)
    if (found := programs(both)) != 1:
        wrong.append(f"{found} programs of one form")
    if programs(pickle.loads(pickle.dumps(copy.deepcopy(both)))):
        wrong.append("a copy has programs")

    # Other libraries' losses, autocast, and a graph that is kept.
    theirs = monai.DiceLoss(softmax=True, to_onehot_y=True)
    arguments = logits, labels[:, None], {}, 1.0
    wrong += differs("MONAI's", calls(theirs, *arguments), expected(theirs, *arguments), 5e-6)
    if not programs(theirs):
        wrong.append("MONAI's: not replayed")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        arguments = logits, labels, {}, 1.0
        wrong += differs("autocast", calls(both, *arguments), expected(both, *arguments), 5e-6)
    scores = logits.clone().requires_grad_()
    slopes = [
        torch.autograd.grad(both(scores, labels), scores, torch.tensor(factor), retain_graph=True)[0] / factor
        for factor in (1.0, 1.0, 4.0, 0.5)
    ]
    if not all(torch.allclose(slope, slopes[0], rtol=1e-5, atol=1e-9) for slope in slopes):
        wrong.append("what comes from upstream is forgotten")
    value = both(scores, labels)
    batched = torch.autograd.grad(value, scores, torch.tensor([1.0, 3.0]), is_grads_batched=True)[0]
    if not torch.allclose(batched[1], 3 * slopes[0], rtol=1e-4, atol=1e-8):
        wrong.append("several gradients at once")

    # What looks at values does so at each call; nothing is replayed where it is not eager.
    looking = seglosses_torch.DiceLoss(validate=True)
    for _ in range(3):
        looking(logits, labels)
    try:
        looking(logits, labels + 1)
        wrong.append("values are not looked at any more")
    except ValueError:
        pass
    tangents = torch.func.jvp(lambda z: both(z, labels), (logits,), (torch.ones_like(logits),))[1]
    if not abs(tangents) < 1e-5:
        wrong.append(f"forward mode: {tangents}")
    per_image = torch.func.vmap(lambda z, t: both(z[None], t[None]))(logits, labels)
    if not torch.allclose(per_image[1], both(logits[1:], labels[1:]), rtol=1e-5):
        wrong.append("vmap")
    try:
        both(logits, labels[:, 1:])
        wrong.append("a wrong shape is taken")
    except ValueError:
        pass
    short = seglosses_torch.CrossEntropyLoss()
    for pixels in range(replay.MOST_FORMS + 5):
        for _ in range(2):
            short(
                logits[:1, :, :1, :1].expand(-1, -1, -1, pixels + 1),
                labels[:1, :1, :1].expand(-1, -1, pixels + 1),
            )
    if programs(short) > replay.MOST_FORMS:
        wrong.append(f"{programs(short)} programs are kept")
    return wrong


NO_LAUNCH = {
    "alias", "as_strided", "detach", "empty", "empty_like", "expand", "new_empty", "permute", "select", "slice",
    "split", "squeeze", "unbind", "unsqueeze", "view",
}  # fmt: skip
MOST_LAUNCHES = {
    "dice": 11, "power-jaccard": 11, "overlapping": 11, "cross-entropy": 12, "dice and cross-entropy": 22, "focal": 31
}  # fmt: skip


class Launches(TorchDispatchMode):
    """Counts what a call would start on a GPU, forward and backward: operations that are no views, and kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += operation.overloadpacket.__name__ not in NO_LAUNCH
        return operation(*args, **(kwargs or {}))

    def counting(self, start: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            with _disable_current_modes():  # what the interpreter does is no launch
                return start(*args, **kwargs)

        return counted


def launches() -> list[str]:
    """On a GPU a launch costs 10 µs and more of a processor's time."""
    logits = torch.randn(2, CLASSES, *SPACE, requires_grad=True)
    labels = torch.randint(0, CLASSES, (2, *SPACE))
    wrong, known, start = [], losses(), GridExecutor.__call__
    for name, most in MOST_LAUNCHES.items():
        for _ in range(2):
            torch.autograd.grad(known[name](logits, labels), logits)
        seen = Launches()
        GridExecutor.__call__ = seen.counting(start)
        with seen:
            torch.autograd.grad(known[name](logits, labels), logits)
        GridExecutor.__call__ = start
        if seen.count > most:
            wrong.append(f"{name}: {seen.count} launches, more than {most}")
    return wrong


if __name__ == "__main__":
    replay.CALLS_BEFORE = 1
    for line in [*everything(whole="whole" in sys.argv), *replayed(), *compiled(), *launches()]:
        print(line)
    print("OK")

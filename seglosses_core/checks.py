"""What may be passed: every error names the argument, what was given and what would be right.

Checks look at shapes, dtypes and options, never at values, so that everything traces; `check_values` alone looks at
values, for `validate=True` in eager mode.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from seglosses_core.libraries import Array, dtype_name, library_of, namespace_of, shape_of
from seglosses_core.ops import Ops


def is_array(value: Any) -> bool:
    """Whether `value` is an array of some library, rather than a Python number or sequence."""
    # A compiler that makes a symbol of a number knows its type, but not whether it has an attribute.
    return type(value) not in (bool, int, float) and hasattr(value, "shape") and hasattr(value, "dtype")


_TEXT = (str, bytes, bytearray, memoryview)


def python_number(value: Any) -> Any:
    """A hyper-parameter as what it stands for: a scalar of NumPy, whose dtype would spread, a fraction or a member of
    an enumeration as Python's number, a sequence, whatever its type, as a tuple."""
    if type(value) in (bool, int, float, str):
        return value
    if hasattr(value, "dtype") and library_of(value) == "numpy" and type(value).__hash__ is not None:
        value = value.item()
    if isinstance(value, numbers.Integral):
        return value if isinstance(value, bool) else int(value)
    if isinstance(value, (numbers.Real, Decimal)):
        return _float(value)
    if isinstance(value, Sequence) and not isinstance(value, _TEXT) and not is_array(value):
        return tuple(map(python_number, value))
    return value


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:  # beyond all floats
        return math.inf if number > 0 else -math.inf


def unwrap_numpy_scalars(hyperparameters: Any) -> None:
    """`python_number` for every field of a frozen dataclass."""
    for field in fields(hyperparameters):
        object.__setattr__(hyperparameters, field.name, python_number(getattr(hyperparameters, field.name)))


def check_number(
    name: str,
    value: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> None:
    """Require a real Python number (no bool) in the range given."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}: {value!r}.")
    number = _float(value)
    value = value if isinstance(value, int) and math.isfinite(number) else number
    limits = [
        (f"at least {at_least}", at_least is None or value >= at_least),
        (f"above {above}", above is None or value > above),
        (f"at most {at_most}", at_most is None or value <= at_most),
        (f"below {below}", below is None or value < below),
    ]
    if not (all(met for _, met in limits) and math.isfinite(value)):
        wanted = [text for text, _ in limits if not text.endswith("None")]
        wanted += [] if wanted and math.isfinite(value) else ["finite"]
        raise ValueError(f"{name} must be {' and '.join(wanted)}, got {value!r}.")


def check_integer(name: str, value: Any, *, at_least: int) -> None:
    """Require a Python int in the range given."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}: {value!r}.")
    check_number(name, value, at_least=at_least)


def check_parameter(name: str, value: Any, **limits: float) -> None:
    """A number in its range, or a 0-dimensional array, which may be learnable; its value is not looked at."""
    if not is_array(value):
        check_number(name, value, **limits)
        return
    if len(value.shape):
        raise ValueError(
            f"{name} must be a number or a 0-dimensional array, got an array of shape {shape_text(value)}."
        )
    check_real(name, value)


def matrix_of_numbers(name: str, value: Any) -> Any:
    """A matrix as tuples, if it is an array whose values can be looked at; anything else as it is."""
    if not is_array(value):
        return value
    check_real(name, value)
    if len(value.shape) != 2 or value.shape[0] != value.shape[1]:
        raise ValueError(f"{name} must be a matrix (C, C), got an array of shape {shape_text(value)}.")
    if hasattr(value, "tolist"):
        return python_number(value.tolist())
    import numpy

    return python_number(numpy.asarray(value).tolist())


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")


def check_smooth(smooth: Any) -> None:
    """A number ≥ 0, or one for the numerator and one for the denominator."""
    if not isinstance(smooth, tuple):
        check_number("smooth", smooth, at_least=0)
        return
    if len(smooth) != 2:
        raise ValueError(
            f"smooth must be a number, or one for the numerator and one for the denominator, got {smooth!r}."
        )
    for i, number in enumerate(smooth):
        check_number(f"smooth[{i}]", number, at_least=0)


def check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__}: {value!r}.")


def check_per_class(name: str, value: Any, **limits: float) -> None:
    """A tuple of numbers in their range, or a 1-dimensional array, whose values are not looked at."""
    if is_array(value):
        if len(value.shape) != 1 or not shape_of(value)[0]:
            raise ValueError(
                f"{name} must be 1-dimensional, one number per class, got shape {shape_text(value)}."
            )
        check_real(name, value)
        return
    if not isinstance(value, tuple):
        raise TypeError(f"{name} must be a sequence or an array with one number per class, got {value!r}.")
    if not value:
        raise ValueError(f"{name} must have one number per class, got {value!r}.")
    for c, number in enumerate(value):
        check_number(f"{name}[{c}]", number, **limits)


def check_one_or_per_class(name: str, value: Any, **limits: float) -> None:
    """One number for all classes, as in `check_parameter`, or one for each, as in `check_per_class`."""
    several = isinstance(value, tuple) or (is_array(value) and len(value.shape))
    (check_per_class if several else check_parameter)(name, value, **limits)


def check_weights(name: str, value: Any) -> None:
    """As `check_per_class`, non-negative, numbers not all 0."""
    check_per_class(name, value, at_least=0)
    if isinstance(value, tuple) and not any(value):
        raise ValueError(f"{name} must have at least one positive entry, got {value!r}.")


def check_real(name: str, array: Any) -> None:
    """An array of integers or floating-point numbers."""
    check_array(name, array)
    if not (dtype_is(array, "integer") or dtype_is(array, "floating")):
        raise TypeError(f"{name} must be real numbers, got {describe(array)}.")


def check_addend(value: Any) -> None:
    """What may stand to the left of a loss in a sum, beside losses of its package: the 0 that `sum` starts with."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != 0:
        given = describe(value) if is_array(value) else f"{type(value).__name__}: {value!r}"
        raise TypeError(f"a loss must be added to a loss of its package, or to the 0 of sum(), got {given}.")


def shape_text(array: Array) -> str:
    return tuple_text(shape_of(array))


def describe(value: Any) -> str:
    """An argument in the words of an error: dtype and shape of an array, the type of anything else."""
    if not is_array(value):
        return f"{type(value).__name__}"
    return f"{dtype_name(value)} of shape {shape_text(value)}"


def dtype_is(array: Array, kind: str) -> bool:
    """Whether the dtype is of a kind: "bool", "integer" or "floating", told by its name in every library."""
    name = dtype_name(array)
    if kind == "bool":
        return name == "bool"
    if kind == "integer":
        return name.startswith(("int", "uint"))
    return name.startswith(("float", "bfloat"))


def same_shape(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    """Whether two static shapes can be equal: an unknown length fits any."""
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))


def check_array(name: str, value: Any) -> None:
    """An array, and none with a mask of its own, which operations honour here and there."""
    if not is_array(value):
        raise TypeError(f"{name} must be an array, got {type(value).__name__}.")
    if any(kind.__name__ == "MaskedArray" for kind in type(value).__mro__):
        raise TypeError(
            f"{name} must be an array without a mask of its own, got {type(value).__name__}; pass its data, and"
            " mask=, which is True where pixels count."
        )


def same(a: Any, b: Any) -> bool:
    """Whether two hyper-parameters are the same. Arrays are if they have the dtype, the shape and the entries of each
    other; one whose entries cannot be looked at is the same as itself alone."""
    if a is b:
        return True
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if not (is_array(a) or is_array(b)):
        return bool(a == b)
    if identity(a) != identity(b):
        return False
    try:
        return bool(namespace_of(a).all(a == b))
    except (TypeError, RuntimeError):  # of a tracer, or on two devices
        return False


def identity(value: Any) -> Any:
    """What is the same of hyper-parameters that are the same, and can be hashed: of an array all but its entries."""
    if isinstance(value, tuple):
        return tuple(map(identity, value))
    return (library_of(value), dtype_name(value), shape_of(value)) if is_array(value) else value


def check_library(name: str, value: Any, logits: Array) -> None:
    """An array of the logits' library, or NumPy's where that is taken over without a transfer to wonder about."""
    check_array(name, value)
    library, expected = library_of(value), library_of(logits)
    if library != expected and not (library == "numpy" and expected in ("jax", "tensorflow")):
        raise TypeError(f"{name} must be a {expected} array like the logits, got one of {library}.")


def check_logits(logits: Any, class_axis: int, activation: str, *, may_be_empty: bool = False) -> int:
    """Check the logits, and give the class axis counted from the front. Only parts of a batch may be empty."""
    check_array("logits", logits)
    if not dtype_is(logits, "floating"):
        raise TypeError(f"logits must be real floating point, got {describe(logits)}.")
    if dtype_name(logits) in ("float96", "float128"):
        raise TypeError(f"logits must be of at most 64 bits, got {describe(logits)}.")
    shape = shape_of(logits)
    rank = len(shape)
    if rank < 2:
        raise ValueError(f"logits must have a batch and a class axis, (N, C, *S), got {describe(logits)}.")
    axis = class_axis + rank if class_axis < 0 else class_axis
    if not 1 <= axis < rank:
        raise ValueError(
            f"class_axis must be an axis of the logits other than the batch axis 0, got {class_axis} for logits of"
            f" shape {shape_text(logits)}."
        )
    if shape[axis] is None:
        raise ValueError(
            f"logits must have a known number of classes on axis {class_axis}, got {describe(logits)}."
        )
    if shape[axis] == 0 or (0 in shape and not may_be_empty):
        raise ValueError(f"logits must not be empty, got {describe(logits)}.")
    if activation == "softmax" and shape[axis] == 1:
        raise ValueError(
            f"activation='softmax' needs at least two classes, got logits of shape {shape_text(logits)} with one on"
            f" axis {class_axis}; use activation='sigmoid' for one foreground class."
        )
    return axis


def check_target(
    target: Any, logits: Array, axis: int, *, ignore_index: int | None, labels_only: str | None
) -> None:
    """Labels of the logits' shape without the class axis or with 1 in its place, or an array of exactly the logits'
    shape. With one class, integers of the logits' shape are labels too, and floats without the axis could be both."""
    check_library("target", target, logits)
    shape, full = shape_of(target), shape_of(logits)
    pixels = full[:axis] + full[axis + 1 :]
    if full[axis] == 1 and same_shape(shape, full) and dtype_is(target, "integer"):
        return
    several = full[axis] > 1  # type: ignore[operator]
    in_place = several and len(shape) == len(full) and shape[axis] == 1
    if same_shape(shape, (*full[:axis], 1, *full[axis + 1 :]) if in_place else pixels):
        if dtype_is(target, "integer") or (several and dtype_is(target, "floating")):
            return
        floats = dtype_is(target, "floating")
        way = f"; give a soft target the class axis {axis}, and labels an integer dtype" if floats else ""
        raise TypeError(
            f"target must hold integer labels where it lacks the classes, got {describe(target)}{way}."
        )
    if not same_shape(shape, full):
        raise ValueError(
            f"target must be integer labels of shape {tuple_text(pixels)} or have the logits' shape"
            f" {tuple_text(full)}, got {describe(target)}{_hint(shape, full, axis)}."
        )
    if labels_only is not None:
        raise ValueError(
            f"target must be integer labels of shape {tuple_text(pixels)} for {labels_only}, got"
            f" {describe(target)}."
        )
    if not (dtype_is(target, "bool") or dtype_is(target, "integer") or dtype_is(target, "floating")):
        raise TypeError(f"target must be bool, integer or real floating point, got {describe(target)}.")
    if ignore_index is not None:
        raise ValueError(
            f"ignore_index={ignore_index} needs a target of integer labels of shape {tuple_text(pixels)}, got"
            f" {describe(target)}; pass mask= to ignore pixels of a one-hot or soft target."
        )


def _hint(shape: tuple[int | None, ...], full: tuple[int | None, ...], axis: int) -> str:
    """Where labels would fit logits with the classes elsewhere."""
    fitting = [other for other in (1, len(full) - 1) if same_shape(shape, full[:other] + full[other + 1 :])]
    others = [other for other in fitting if other != axis]
    return f", which fits logits with class_axis={-1 if others[0] > 1 else 1}" if others else ""


def check_mask(mask: Any, logits: Array, axis: int, refusal: str | None = None) -> None:
    """The shape of the labels, or that of the logits; `refusal` says why a loss takes the second for one class alone,
    None that it takes it."""
    check_library("mask", mask, logits)
    full = shape_of(logits)
    pixels = full[:axis] + full[axis + 1 :]
    of_entries = same_shape(shape_of(mask), full)
    if not (same_shape(shape_of(mask), pixels) or (of_entries and (refusal is None or full[axis] == 1))):
        other = (
            f", or for overlapping classes that of the logits, {tuple_text(full)}" if refusal is None else ""
        )
        reason = f": {refusal}" if of_entries else ""
        raise ValueError(
            f"mask must have the shape of the labels, {tuple_text(pixels)}{other}, got {describe(mask)}{reason}."
        )
    if not (dtype_is(mask, "bool") or dtype_is(mask, "integer") or dtype_is(mask, "floating")):
        raise TypeError(f"mask must be bool or non-negative real weights, got {describe(mask)}.")


def check_sample_weight(sample_weight: Any, logits: Array) -> None:
    check_library("sample_weight", sample_weight, logits)
    batch = shape_of(logits)[:1]
    if not same_shape(shape_of(sample_weight), batch):
        raise ValueError(
            f"sample_weight must have one weight per image, shape {tuple_text(batch)}, got {describe(sample_weight)}."
        )
    if not (dtype_is(sample_weight, "integer") or dtype_is(sample_weight, "floating")):
        raise TypeError(f"sample_weight must be real numbers, got {describe(sample_weight)}.")


def check_values(
    logits: Array,
    target: Array,
    mask: Array | None,
    sample_weight: Array | None,
    ops: Ops,
    *,
    activation: str,
    ignore_index: int | None,
    unit_interval: bool,
    finite_logits: bool,
) -> None:
    """What `validate=True` adds: NaN or infinite logits, labels outside the classes, negative weights, and, where
    `unit_interval` says that they are probabilities, values outside [0, 1]. Ignored pixels are not looked at."""
    xp = ops.xp
    classes = logits.shape[ops.class_axis]
    if classes == 1 and len(target.shape) == ops.rank and dtype_is(target, "integer"):
        target = xp.squeeze(target, axis=ops.class_axis)
    pixels = target if len(target.shape) < ops.rank else ops.class_zero(target)
    valid, entries = xp.ones_like(pixels, dtype=xp.bool), None
    for name, weights in (("mask", mask), ("sample_weight", sample_weight)):
        if weights is None:
            continue
        if weights.dtype != xp.bool:
            weights = ops.cast(weights, ops.compute_dtype(logits))
            if not bool(xp.all((weights >= 0) & (weights < float("inf")))):
                raise ValueError(f"{name} must not be negative or NaN, nor infinite, got such a weight.")
            weights = weights > 0
        if len(weights.shape) == ops.rank:
            entries, weights = weights, xp.any(weights, axis=ops.class_axis)
        valid = valid & (weights if name == "mask" else ops.over_image(weights))
    if len(target.shape) < ops.rank:
        labels = ops.cast(target, ops.index_dtype)
        if ignore_index is not None:
            valid = valid & (labels != ignore_index)
        outside = valid & ((labels < 0) | (labels >= max(classes, 2)))
        if bool(xp.any(outside)):
            raise ValueError(
                f"target must hold labels from 0 to {max(classes, 2) - 1}, got others at {_count(outside, xp)} pixels;"
                " name the label to ignore by ignore_index=."
            )
    everywhere = ops.over_classes(valid) if entries is None else ops.over_classes(valid) & entries
    unusable = ~xp.isfinite(logits) if finite_logits else xp.isnan(logits) | (logits == float("inf"))
    if bool(xp.any(everywhere & unusable)):
        wanted = "finite" if finite_logits else "neither NaN nor +inf"
        raise ValueError(
            f"logits must be {wanted}, got others at {_count(everywhere & unusable, xp)} places."
        )
    one_hot = len(target.shape) == ops.rank and dtype_is(target, "integer")
    if one_hot:
        outside = everywhere & ~((target == 0) | (target == 1))
        if bool(xp.any(outside)):
            raise ValueError(
                f"target must be 0 or 1 where it is one-hot of integers, got others at {_count(outside, xp)} places."
            )
    if are_probabilities(logits, activation, ops, everywhere):
        raise ValueError(f"logits must not be probabilities: {double(activation)}.")
    if not unit_interval:
        return
    soft = len(target.shape) == ops.rank and dtype_is(target, "floating")
    checked = [("target", target)] if soft else []
    checked += (
        [("logits, as probabilities (activation='identity'),", logits)] if activation == "identity" else []
    )
    for name, values in checked:
        outside = everywhere & ~((values >= 0) & (values <= 1))
        if bool(xp.any(outside)):
            raise ValueError(f"{name} must lie in [0, 1], got others at {_count(outside, xp)} places.")


def are_probabilities(logits: Array, activation: str, ops: Ops, where: Array | None = None) -> bool:
    """Whether logits look like what the activation makes of logits: all in [0, 1], with the sum 1 over the classes for
    softmax, and some near 0 and some near 1 for sigmoid. Of a network that has learnt nothing yet, scores are near 0 on
    both sides. A few numbers show nothing."""
    if activation == "identity" or math.prod(logits.shape) < 64:
        return False
    xp, logits = ops.xp, ops.stop_gradient(logits)
    if where is not None:
        logits = xp.where(where, logits, 0.5 * xp.ones_like(logits))
    lowest, highest = float(xp.min(logits)), float(xp.max(logits))
    if not 0 <= lowest <= highest <= 1:
        return False
    if activation == "sigmoid":
        return lowest < 0.1 and highest > 0.9
    sums = xp.sum(ops.cast(logits, ops.compute_dtype(logits)), axis=ops.class_axis, keepdims=True)
    exact = dtype_name(logits) in ("float32", "float64")
    close = abs(sums - 1) < (1e-3 if exact else 1e-2)
    return bool(xp.all(close if where is None else close | ~where))


def double(activation: str) -> str:
    """What is wrong with probabilities, and what to do."""
    seen = "sum to 1 over the classes" if activation == "softmax" else "come near both ends"
    return (
        f"they all lie in [0, 1] and {seen}, and activation={activation!r} would be applied to them once more; pass the"
        f" logits, before any {activation}, or activation='identity' with probabilities"
    )


def _count(flags: Array, xp: Any) -> int:
    return int(xp.sum(xp.astype(flags, xp.int32)))


def tuple_text(shape: Sequence[Any]) -> str:
    return (
        "("
        + ", ".join("None" if n is None else str(n) for n in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )


def check_window(name: str, value: Any) -> None:
    """The width of a window, which has a centre."""
    check_integer(name, value, at_least=1)
    if value % 2 == 0:
        raise ValueError(f"{name} must be odd, so that the window has a centre, got {value}.")

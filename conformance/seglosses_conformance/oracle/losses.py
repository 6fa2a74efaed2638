"""Every loss as its source defines it, in probability space: one function each, registered under its class's name.

Symbols: p or ŷ the predicted probability of a class at a pixel, y or g its target, w the pixel's weight, ε smooth.
Letters in brackets are the sources: A power losses (Duque-Arias et al. 2021), B locally adaptive learning (Guo et al.
2018), C distance-aware cross-entropy (Du; Law & Deng 2018), D pointwise exponential (Deora).

To add a loss, write one function and decorate it: `@region_loss("ItsName")` if it gives the numerator and denominator
of a ratio, `@pixel_loss("ItsName")` if it gives what one class of a pixel costs, and `@loss("ItsName")` for any other,
which is a function of the problem and its hyper-parameters and returns what `Result` describes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log, nan
from typing import Any

from mpmath import mp, mpf

from . import tape
from .pooling import Entry, pool, weighted_sum
from .problem import NoNumberError, Pixel, Problem, nest, probabilities
from .tape import Scalar, gradient, plain

# A loss returns its value (one number, or the flat map of reduction="none"), the value's shape, and its scale: the sum
# of the absolute terms that the value is the sum of, which is what rounding errors are measured by.
Result = tuple[Any, tuple[int, ...], Any]

LOSSES: dict[str, Callable[..., Result]] = {}


def loss(name: str) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    def register(function: Callable[..., Result]) -> Callable[..., Result]:
        LOSSES[name] = function
        return function

    return register


@dataclass(frozen=True)
class Expected:
    """What a loss must give: floats, or nested lists of them. No gradient for a NaN value; that of a map is the one of
    its sum, each element multiplied by its `upstream`."""

    value: Any
    gradient: Any
    scale: Any
    feature_gradient: Any = None


def evaluate(
    loss_name: str,
    hyperparameters: dict[str, Any],
    logits: Any,
    target: Any,
    mask: Any = None,
    sample_weight: Any = None,
    centers: Any = None,
    features: Any = None,
    *,
    with_gradient: bool = True,
) -> Expected:
    """Value, gradient and scale of a loss. Arrays: nested lists, class axis 1; hyper-parameters: as in a case file."""
    problem = Problem(logits, target, mask, sample_weight, centers, features)
    with mp.workdps(digits(loss_name, problem)):
        try:
            value, shape, scale = LOSSES[loss_name](problem, **hyperparameters)
        except NoNumberError:
            return Expected(nan, None, nan)
        is_map = bool(shape) or isinstance(value, list)
        slopes = feature_slopes = None
        if with_gradient:
            total = sum((v * upstream(k) for k, v in enumerate(value)), mpf(0)) if is_map else value
            slopes = nest(problem.shape, [float(g) for g in gradient(total, problem.logits)])
            if features is not None:
                feature_slopes = nest(
                    problem.features_shape, [float(g) for g in gradient(total, problem.features)]
                )
        if is_map:
            value, scale = (nest(shape, [float(plain(v)) for v in part]) for part in (value, scale))
        else:
            value, scale = float(plain(value)), float(scale)
        return Expected(value, slopes, scale, feature_slopes)


def upstream(k: int) -> Any:
    """What element k of a map, in C order, is multiplied by before their sum is differentiated: −¾, −¼, ¼, ¾, 1¼, …"""
    return mpf(k % 5) / 2 - mpf(3) / 4


def digits(loss_name: str, problem: Problem) -> int:
    """50 digits beyond those that 1 − p loses when p is within e^−(largest logit difference) of 1."""
    finite = [float(z.value) for z in problem.logits if isfinite(z.value)]
    spread = max(finite, default=0) - min(finite, default=0)
    spread = max(spread, max(map(abs, finite), default=0))  # sigmoid(z) is softmax(z, 0)
    if "LocallyAdaptiveLoss" in loss_name:
        spread *= 2  # the weight of a window's centre
    return 50 + int(spread / log(10))


# --- Region losses: 1 − numerator / denominator for each image and class ----------------------------------


@dataclass(frozen=True)
class Cell:
    """One pixel seen by one class."""

    w: Any
    p: Scalar
    y: Any


Score = Callable[..., tuple[Any, Any]]


def total(terms: Any) -> Any:
    return sum(terms, mpf(0))


def region_loss(name: str) -> Callable[[Score], Score]:
    """Register the loss 1 − n/d of a function that gives n and d for the cells of one image and class."""

    def register(score: Score) -> Score:
        def over_classes(
            problem: Problem,
            *,
            activation: str = "softmax",
            ignore_index: int | None = None,
            reduction: str = "mean",
            class_weights: Sequence[float] | None = None,
            smooth: float = 1e-5,
            aggregate: str = "image",
            absent: str = "count",
            include_background: bool = True,
            **options: float,
        ) -> Result:
            batch = aggregate == "batch"
            groups: list[list[tuple[Pixel, list[Scalar]]]]
            groups = [[] for _ in range(1 if batch else problem.images)]
            for pixel in problem.pixels(ignore_index):
                prediction = probabilities(pixel.logits, activation)
                groups[0 if batch else pixel.image].append((pixel, prediction))

            losses, scales, weights = [], [], []
            for image, group in enumerate(groups):
                for c in range(problem.classes):
                    cells = [
                        Cell(
                            pixel.mask * (pixel.sample_weight if batch else 1), prediction[c], pixel.target[c]
                        )
                        for pixel, prediction in group
                    ]
                    weight = mpf(1) if class_weights is None else mpf(class_weights[c])
                    weight *= 1 if batch else mpf(problem.sample_weight[image])
                    if not cells or (c == 0 and not include_background):
                        weight = mpf(0)
                    if absent == "skip" and total(cell.w * cell.y for cell in cells) == 0:
                        weight = mpf(0)
                    numerator, denominator = score(cells, mpf(smooth), **options)
                    ratio = numerator / denominator if plain(denominator) != 0 else mpf(1)
                    losses.append(1 - ratio)
                    scales.append(1 + abs(plain(ratio)))
                    weights.append(weight)

            loss_terms = [weight * value for weight, value in zip(weights, losses, strict=True)]
            scale_terms = [weight * scale for weight, scale in zip(weights, scales, strict=True)]
            if reduction == "none":
                shape = (problem.classes,) if batch else (problem.images, problem.classes)
                return loss_terms, shape, scale_terms
            if total(weights) == 0:
                return mpf(0), (), mpf(0)
            divisor = {"mean": total(weights), "sum": mpf(1)}[reduction]
            return total(loss_terms) / divisor, (), total(scale_terms) / divisor

        LOSSES[name] = over_classes
        return score

    return register


@region_loss("DiceLoss")
def dice(cells: list[Cell], smooth: Any) -> tuple[Any, Any]:
    """1 − (2 Σ yŷ + ε)/(Σ (y + ŷ) + ε) (A)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    return 2 * overlap + smooth, total(cell.w * (cell.y + cell.p) for cell in cells) + smooth


@region_loss("JaccardLoss")
def jaccard(cells: list[Cell], smooth: Any) -> tuple[Any, Any]:
    """1 − (Σ yŷ + ε)/(Σ (y + ŷ − yŷ) + ε) (A)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    union = total(cell.w * (cell.y + cell.p - cell.y * cell.p) for cell in cells)
    return overlap + smooth, union + smooth


@region_loss("TverskyLoss")
def tversky(cells: list[Cell], smooth: Any, alpha: float = 0.5, beta: float = 0.5) -> tuple[Any, Any]:
    """1 − (TP + ε)/(TP + α FP + β FN + ε), TP = Σ yŷ, FP = Σ (1 − y)ŷ, FN = Σ y(1 − ŷ) (A; Salehi et al. 2017)"""
    true_positive = total(cell.w * cell.y * cell.p for cell in cells)
    false_positive = total(cell.w * (1 - cell.y) * cell.p for cell in cells)
    false_negative = total(cell.w * cell.y * (1 - cell.p) for cell in cells)
    index = true_positive + mpf(alpha) * false_positive + mpf(beta) * false_negative
    return true_positive + smooth, index + smooth


@region_loss("PowerDiceLoss")
def power_dice(cells: list[Cell], smooth: Any, p: float = 2.0) -> tuple[Any, Any]:
    """1 − (2 Σ yŷ + ε)/(Σ (y^p + ŷ^p) + ε) (A)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    return 2 * overlap + smooth, total(cell.w * (cell.y ** mpf(p) + cell.p**p) for cell in cells) + smooth


@region_loss("PowerJaccardLoss")
def power_jaccard(cells: list[Cell], smooth: Any, p: float = 2.0) -> tuple[Any, Any]:
    """1 − (Σ yŷ + ε)/(Σ (y^p + ŷ^p − yŷ) + ε) (A)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    union = total(cell.w * (cell.y ** mpf(p) + cell.p**p - cell.y * cell.p) for cell in cells)
    return overlap + smooth, union + smooth


@region_loss("PointwiseExponentialLoss")
def pointwise_exponential(
    cells: list[Cell],
    smooth: Any,
    alpha: float = 20.0,
    exponent: float = 3.0,
    denominator: str = "sum",
) -> tuple[Any, Any]:
    """1 − α Σ p^n g / (Σ p + Σ g + ε), or with (Σ pg + Σ p(1 − g) + Σ (1 − p)g + ε) for "union" (D)"""
    powered = total(cell.w * cell.p**exponent * cell.y for cell in cells)
    if denominator == "sum":
        size = total(cell.w * cell.p for cell in cells) + total(cell.w * cell.y for cell in cells)
    else:
        size = (
            total(cell.w * cell.p * cell.y for cell in cells)
            + total(cell.w * cell.p * (1 - cell.y) for cell in cells)
            + total(cell.w * (1 - cell.p) * cell.y for cell in cells)
        )
    return mpf(alpha) * powered, size + smooth


# --- Pixel losses: what one class of one pixel costs ------------------------------------------------------

# A cost is a function of p, y and the class's `Place`. `y > 0` and `y < 1` come first so that 0 · log 0 is 0.
Cost = Callable[..., Any]

COSTS: dict[str, Cost] = {}
NEVER_EXCLUSIVE: list[Cost] = []


@dataclass(frozen=True)
class Place:
    """Which of how many classes, and whether they exclude each other or each is a yes (p) or no (1 − p) of its own."""

    c: int
    classes: int
    exclusive: bool


def pixel_loss(
    name: str,
    *,
    activation: str = "softmax",
    may_be_exclusive: bool = True,
    mean: Callable[..., Any] | None = None,
) -> Callable[[Cost], Cost]:
    """Register the pooled map of a cost. `activation` is the default, `mean` what "mean" means if not Σ ω ℓ / Σ ω."""

    def register(cost: Cost) -> Cost:
        default = activation

        def over_pixels(
            problem: Problem,
            *,
            activation: str = default,
            ignore_index: int | None = None,
            reduction: Any = "mean",
            class_weights: Sequence[float] | None = None,
            **options: Any,
        ) -> Result:
            pixels = list(problem.pixels(ignore_index))
            entries, shape = cost_map(
                problem, pixels, cost, activation=activation, class_weights=class_weights, **options
            )
            if mean is not None and reduction == "mean":
                value = mean(entries)
                return value, (), abs(plain(value))
            return pooled(entries, reduction, shape)

        COSTS[name] = cost
        LOSSES[name] = over_pixels
        if not may_be_exclusive:
            NEVER_EXCLUSIVE.append(cost)
        return cost

    return register


def clipped(p: Scalar, clip: float) -> Scalar:
    """p, or the nearer end of [clip, 1 − clip], which has no slope. At an end p itself."""
    lowest, highest = mpf(clip), 1 - mpf(clip)
    return p if lowest <= p.value <= highest or clip == 0 else Scalar(lowest if p.value < lowest else highest)


@pixel_loss("CrossEntropyLoss")
def cross_entropy(p: Scalar, y: Any, at: Place, *, label_smoothing: float = 0.0, clip: float = 0.0) -> Any:
    """−y log p, and −(1 − y) log(1 − p) if classes are not exclusive.

    Label smoothing shares a part of y among all classes, or between yes and no (Szegedy et al. 2016).
    """
    p = clipped(p, clip)
    y = (1 - mpf(label_smoothing)) * y + mpf(label_smoothing) / (at.classes if at.exclusive else 2)
    cost = mpf(0)
    if y > 0:
        cost += -y * tape.log(p)
    if y < 1 and not at.exclusive:
        cost += -(1 - y) * tape.log(1 - p)
    return cost


@pixel_loss("FocalLoss")
def focal(p: Scalar, y: Any, at: Place, *, gamma: float = 2.0, alpha: Any = 0.25, clip: float = 0.0) -> Any:
    """−α_t (1 − p_t)^γ log p_t (Lin et al. 2017, eq. 5): α_t is α for p_t = p, 1 − α for p_t = 1 − p, without α 1."""
    p = clipped(p, clip)
    if isinstance(alpha, (list, tuple)):
        alpha = alpha[at.c]
    yes, no = (mpf(1), mpf(1)) if alpha is None else (mpf(alpha), 1 - mpf(alpha))
    cost = mpf(0)
    if y > 0:
        cost += -yes * y * (1 - p) ** gamma * tape.log(p)
    if y < 1 and not at.exclusive:
        cost += -no * (1 - y) * p**gamma * tape.log(1 - p)
    return cost


def over_foreground(entries: Sequence[Entry]) -> Any:
    """Σ cost / N, N the weight of the batch's foreground, y = 1 exactly; 1 if there is none (C)"""
    number = total(entry.weight for entry in entries if entry.target == 1)
    return weighted_sum(entries) / (number if number > 0 else 1)


@pixel_loss(
    "DistanceAwareCrossEntropyLoss", activation="sigmoid", may_be_exclusive=False, mean=over_foreground
)
def distance_aware(
    p: Scalar, y: Any, at: Place, *, alpha: float = 2.0, beta: float = 4.0, clip: float = 0.0
) -> Any:
    """y = 1: −(1 − p)^α log p; else −(1 − y)^β p^α log(1 − p) (C; CornerNet, eq. 1). Beyond 1 is no heat map."""
    if y > 1:
        raise NoNumberError(f"a heat map of {y}")
    p = clipped(p, clip)
    if y == 1:
        return -((1 - p) ** alpha) * tape.log(p)
    return -((1 - y) ** mpf(beta)) * p**alpha * tape.log(1 - p)


@pixel_loss("MeanSquaredErrorLoss", activation="identity", may_be_exclusive=False)
def squared_error(p: Scalar, y: Any, at: Place) -> Any:
    """(p − y)² (C)"""
    return (p - y) ** 2


def is_exclusive(cost: Cost, activation: str, classes: int) -> bool:
    """Whether a pixel's classes share one cost: softmax, or probabilities of several classes, if the loss has it so."""
    shared = activation == "softmax" or (activation == "identity" and classes > 1)
    return shared and cost not in NEVER_EXCLUSIVE


def cost_map(
    problem: Problem,
    pixels: Sequence[Pixel],
    cost: Cost,
    *,
    activation: str,
    class_weights: Sequence[float] | None,
    **options: Any,
) -> tuple[list[Entry], tuple[int, ...]]:
    """The entries that count, and the map's shape: (N, *S) for exclusive classes, (N, C, *S) otherwise.

    Exclusive: cost Σ_c w_c cost_c / W with pixel weight mask · sample weight · W, W = Σ_c w_c y_c. Otherwise each class
    is an entry with weight mask · sample weight · w_c.
    """
    exclusive = is_exclusive(cost, activation, problem.classes)
    w = [mpf(1)] * problem.classes if class_weights is None else [mpf(weight) for weight in class_weights]
    entries = []
    for pixel in pixels:
        prediction = probabilities(pixel.logits, activation)
        costs = [
            cost(prediction[c], pixel.target[c], Place(c, problem.classes, exclusive), **options)
            for c in range(problem.classes)
        ]
        weight = pixel.mask * pixel.sample_weight
        if exclusive:
            class_weight = total(w[c] * pixel.target[c] for c in range(problem.classes))
            if class_weight > 0:
                shared = total(w[c] * costs[c] for c in range(problem.classes)) / class_weight
                entries.append(Entry(index_of(problem, pixel), shared, weight * class_weight))
        else:
            entries += [
                Entry(index_of(problem, pixel, c), costs[c], weight * w[c], pixel.target[c])
                for c in range(problem.classes)
                if w[c] > 0
            ]
    return entries, problem.map_shape if exclusive else problem.shape


def index_of(problem: Problem, pixel: Pixel, c: int | None = None) -> int:
    """Where a pixel, or one of its classes, stands in the flat map."""
    index = pixel.image if c is None else pixel.image * problem.classes + c
    for size, position in zip(problem.space, pixel.position, strict=True):
        index = index * size + position
    return index


def pooled(entries: Sequence[Entry], reduction: Any, shape: tuple[int, ...]) -> Result:
    """The reduced map. Costs are sums of terms of one sign, so the value is its own scale."""
    value = pool(entries, reduction, shape)
    if reduction == "none":
        return value, shape, [abs(plain(v)) for v in value]
    return value, (), abs(plain(value))


@loss("LocallyAdaptiveLoss")
def locally_adaptive_loss(
    problem: Problem,
    *,
    activation: str = "softmax",
    ignore_index: int | None = None,
    reduction: Any = None,
    class_weights: Sequence[float] | None = None,
    kernel_size: int = 5,
    stride: int = 1,
    cost: dict[str, Any] | None = None,
    standardize: bool = True,
) -> Result:
    """Costs of the pooled predictions f against their centres' labels, Minkowski-pooled with k = 3 (B)"""
    pixels = list(problem.pixels(ignore_index))
    x = [standardized(pixel.logits) if standardize else pixel.logits for pixel in pixels]
    centres = [
        replace(centre, logits=selective_pooling(centre, pixels, x, kernel_size // 2))
        for centre in pixels
        if all(index % stride == 0 for index in centre.position)
    ]
    cost = cost or {"loss": "CrossEntropyLoss", "hyperparameters": {}}
    entries, shape = cost_map(
        problem,
        centres,
        COSTS[cost["loss"]],
        activation=activation,
        class_weights=class_weights,
        **cost["hyperparameters"],
    )
    return pooled(entries, reduction or {"pooling": "Minkowski", "k": 3.0}, shape)


def standardized(logits: Sequence[Scalar]) -> list[Any]:
    """(x̂ − mean(x̂))/std(x̂) over the classes, population standard deviation; a constant vector gives 0 (B)"""
    if all(z.value == logits[0].value for z in logits):
        return [mpf(0)] * len(logits)
    mean = sum(logits) / len(logits)
    variance = sum((z - mean) ** 2 for z in logits) / len(logits)
    return [(z - mean) / variance ** mpf("0.5") for z in logits]


def selective_pooling(centre: Pixel, pixels: Sequence[Pixel], x: Sequence[Any], radius: int) -> list[Scalar]:
    """f = (1/ξ) Σ μ ω_d x over the window (B, eq. 3): μ picks the centre's label, ξ counts, ω_d = 2^(1 − D8)"""
    pooled_logits = [Scalar(0) for _ in centre.logits]
    chosen = 0
    for pixel, values in zip(pixels, x, strict=True):
        distance = max((abs(a - b) for a, b in zip(pixel.position, centre.position, strict=True)), default=0)
        if pixel.image == centre.image and distance <= radius and pixel.label == centre.label:
            chosen += 1
            pooled_logits = [
                f + mpf(2) ** (1 - distance) * value for f, value in zip(pooled_logits, values, strict=True)
            ]
    return [f / chosen for f in pooled_logits]


@loss("CenterLoss")
def center_loss(
    problem: Problem,
    *,
    activation: str = "softmax",
    ignore_index: int | None = None,
    reduction: Any = "mean",
    class_weights: Sequence[float] | None = None,
    rate: float = 0.5,
    weight: float = 3e-4,
) -> Result:
    """Cross-entropy + (λ/2) ‖x − c_label‖² at every pixel (B; Wen et al. 2016, eq. 5); `rate` is of their move"""
    if not is_exclusive(cross_entropy, activation, problem.classes):
        raise NotImplementedError("a centre belongs to a pixel's only label: classes must be exclusive")
    pixels = list(problem.pixels(ignore_index))
    entries, shape = cost_map(
        problem, pixels, cross_entropy, activation=activation, class_weights=class_weights
    )
    distances = {index_of(problem, pixel): squared_distance(problem, pixel) for pixel in pixels}
    for entry in entries:
        entry.cost += mpf(weight) / 2 * distances[entry.index]
    return pooled(entries, reduction, shape)


def squared_distance(problem: Problem, pixel: Pixel) -> Any:
    """‖x − c_label‖², x the pixel's features, or its logits"""
    assert problem.centers is not None
    assert pixel.label is not None
    x = pixel.features or pixel.logits
    return total((a - b) ** 2 for a, b in zip(x, problem.centers[pixel.label], strict=True))


def updated_centers(
    hyperparameters: dict[str, Any],
    logits: Any,
    target: Any,
    mask: Any = None,
    sample_weight: Any = None,
    *,
    centers: Any,
    features: Any = None,
) -> list[list[float]]:
    """c_j − α Δc_j, Δc_j = Σ [y = j](c_j − x)/(1 + Σ [y = j]), pixels counted by weight (B; Wen et al. 2016, eq. 4)"""
    problem = Problem(logits, target, mask, sample_weight, centers, features)
    assert problem.centers is not None
    rate = mpf(hyperparameters.get("rate", 0.5))
    with mp.workdps(50):
        pixels = list(problem.pixels(hyperparameters.get("ignore_index")))
        new = []
        for j, center in enumerate(problem.centers):
            members = [(pixel.mask * pixel.sample_weight, pixel) for pixel in pixels if pixel.label == j]
            number = total(w for w, _ in members)
            moved = []
            for d, c in enumerate(center):
                pull = total(w * (c - plain((pixel.features or pixel.logits)[d])) for w, pixel in members)
                moved.append(float(c - rate * pull / (1 + number)))
            new.append(moved)
    return new


@loss("EnsembleLoss")
def ensemble_loss(
    problem: Problem,
    *,
    losses: Sequence[dict[str, Any]],
    weights: Sequence[float],
    sum_to_one: bool = False,
) -> Result:
    """Σ_i w_i E_i (B, eq. 1); `sum_to_one` only asks that the weights do"""
    assert not sum_to_one or sum(weights) == 1
    members = [LOSSES[member["loss"]](problem, **member["hyperparameters"]) for member in losses]
    value = total(mpf(w) * member for w, (member, _, _) in zip(weights, members, strict=True))
    scale = total(abs(mpf(w)) * scale for w, (_, _, scale) in zip(weights, members, strict=True))
    return value, (), scale

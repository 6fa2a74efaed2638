"""What the losses of one kind share, so that the file of a loss holds its formula and little else.

- `RatioOfSums(score)`: 1 − n/d of each class of each image. The formula gives n and d for the pixels of one class.
- `ClassScores(score)`: a loss of each class of each image. The formula gives it for the pixels of one class.
- `RatioPerImage(score)`: 1 − n/d of each image. The formula gives n and d for the pixels of all its classes.
- `PixelCosts(cost)`: a map, pooled. The formula gives what one class of one pixel costs.

A loss of another kind is a function of the problem and its hyper-parameters that returns a `Result`.

Symbols in the formulas: p or ŷ the predicted probability of a class at a pixel, y or g its target, w the pixel's
weight, ε `smooth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import signature
from math import prod
from typing import Any, NamedTuple

from mpmath import mpf

from .pooling import Term, pool
from .problem import Pixel, Problem, probabilities
from .tape import Scalar, gradient, plain
from .tape import log as logarithm

Result = tuple[Any, tuple[int, ...], Any]
"""The value (one number, or the flat map of reduction="none"), its shape, and its scale: the sum of the absolute terms
that the value is the sum of, by which rounding errors are measured."""

Oracle = Callable[..., Result]
"""A function of a problem and hyper-parameters."""


def total(terms: Iterable[Any]) -> Any:
    return sum(terms, mpf(0))


# --- Ratios of sums over a region --------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One pixel seen by one class."""

    w: Any
    p: Scalar
    y: Any
    place: tuple[int, ...] = ()
    """Image and position of the pixel."""
    instance: int = 0


def common(cell: Cell, overlap: str) -> Any:
    """What prediction and target of a cell have in common: yŷ, or the lesser of the two. Where both are the same the
    slope by ŷ is ½, the mean of those of either side; ŷ has but one side at 0 and at 1."""
    if overlap == "product":
        return cell.y * cell.p
    p, y = cell.p, cell.y
    if p.value < y or y == 1:
        return p
    return y if p.value > y or y == 0 else (p + y) / 2


class Seen(NamedTuple):
    """A class of an image, or of the batch."""

    weight: Any
    """Of the class."""
    cells: list[Cell]
    costs: bool
    """Whether its score is part of the sum."""
    counted: Any
    """What it adds to what the mean divides by."""


Classes = Sequence[Seen]


@dataclass(frozen=True)
class Ratios:
    """1 − n/d of regions, and their weighted mean."""

    score: Callable[..., tuple[Any, Any]]
    """n and d of a region, of ε and of the loss's own hyper-parameters."""
    then: Callable[..., Any] | None = None
    """A function of 1 − n/d that takes its place. It may have hyper-parameters of its own, and has to know its slope
    where 1 − n/d is 0."""

    def __call__(
        self,
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
        average: str = "pooled",
        divisor: str = "weights",
        per_class: bool = True,
        **options: Any,
    ) -> Result:
        batch = aggregate == "batch"
        w = [mpf(1)] * problem.classes if class_weights is None else [mpf(weight) for weight in class_weights]
        found = cells_of(problem, activation, ignore_index, batch)
        images = [mpf(1)] * len(found) if batch else [mpf(weight) for weight in problem.sample_weight]
        numbers = images if divisor == "weights" else [mpf(1)] * len(images)
        counted_images = [
            number if any(image) or divisor == "all" else mpf(0)
            for number, image in zip(numbers, found, strict=True)
        ]
        losses, scales, weights, counted = [], [], [], []
        for image, counted_image, classes in zip(images, counted_images, found, strict=True):
            seen = [
                self.look_at(w[c], cells, c, absent, include_background, divisor)
                for c, cells in enumerate(classes)
            ]
            regions = self.regions(seen) if per_class else self.joint_region(seen)
            for weight, counted_weight, region in regions:
                loss, scale = self.loss_of(region, smooth, options)
                losses.append(loss)
                scales.append(scale)
                weights.append(image * weight)
                counted.append(counted_image * counted_weight)
        if divisor == "weights" and absent != "zero":
            counted = weights
        if average != "pooled":
            groups = (
                counted_images if average == "image" else (w if divisor == "weights" else [mpf(1)] * len(w))
            )
            weights, counted = of_means(weights, counted, groups, average, divisor)
        shape = self.shape(problem, batch)
        return weighted(losses, scales, weights, reduction, shape if per_class else shape[:-1], counted)

    def look_at(
        self, weight: Any, cells: list[Cell], c: int, absent: str, include_background: bool, divisor: str
    ) -> Seen:
        """Without a cell, a class is not there."""
        kept = include_background or c != 0
        is_there = total(cell.w * cell.y for cell in cells) != 0
        costs = kept and bool(cells) and (absent == "count" or is_there)
        is_counted = kept and (absent != "skip" or is_there) and (bool(cells) or divisor == "all")
        number = weight if divisor == "weights" else mpf(1)
        return Seen(weight, cells, costs, number if is_counted else mpf(0))

    def joint_region(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        """All classes that count as one region, the cells of each multiplied by its weight, over the largest."""
        raise NotImplementedError

    def loss_of(self, region: Any, smooth: float, options: dict[str, Any]) -> tuple[Any, Any]:
        """The loss of a region and its scale."""
        parameters = () if self.then is None else signature(self.then).parameters
        of_then = {name: options[name] for name in parameters if name in options}
        of_score = {name: value for name, value in options.items() if name not in of_then}
        loss, scale = one_minus(*self.score(region, mpf(smooth), **of_score))
        transformed = loss if self.then is None else self.then(loss, **of_then)
        if self.then is None or transformed is loss:
            return loss, scale
        return transformed, scale_after(self.then, loss, scale, of_then)

    def regions(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        """What each region of an image, or of the batch, weighs in the mean, what it adds to what the mean divides by,
        and what its score is of."""
        raise NotImplementedError

    def shape(self, problem: Problem, batch: bool) -> tuple[int, ...]:
        """That of all regions."""
        raise NotImplementedError


@dataclass(frozen=True)
class RatioOfSums(Ratios):
    """A region is a class of an image, its score a function of its cells."""

    def regions(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        return [(seen.weight if seen.costs else mpf(0), seen.counted, seen.cells) for seen in classes]

    def joint_region(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        counting = [seen for seen in classes if seen.costs]
        top = max((seen.weight for seen in counting), default=1) or 1
        cells = [replace(cell, w=cell.w * seen.weight / top) for seen in counting for cell in seen.cells]
        return [one_region(classes, cells)]

    def shape(self, problem: Problem, batch: bool) -> tuple[int, ...]:
        return (problem.classes,) if batch else (problem.images, problem.classes)


@dataclass(frozen=True)
class ClassScores(RatioOfSums):
    """A region is a class of an image. Its score is the loss of its cells itself, and that loss's scale; it may have an
    ε, `smooth`, among its hyper-parameters."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The hyper-parameters that all region losses have, where this one has other defaults."""

    def __call__(self, problem: Problem, **options: Any) -> Result:
        return super().__call__(problem, **{**self.defaults, **options})

    def loss_of(self, region: Any, smooth: float, options: dict[str, Any]) -> tuple[Any, Any]:
        if not region:
            return mpf(0), mpf(0)
        given = smooth if isinstance(smooth, list) else mpf(smooth)
        own = {"smooth": given} if "smooth" in signature(self.score).parameters else {}
        return self.score(region, **own, **options)


@dataclass(frozen=True)
class RatioPerImage(Ratios):
    """A region is an image, its score a function of weight and cells of each class that counts."""

    def regions(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        return [one_region(classes, [(seen.weight, seen.cells) for seen in classes if seen.costs])]

    def shape(self, problem: Problem, batch: bool) -> tuple[int, ...]:
        return (1,) if batch else (problem.images,)


def one_region(classes: Classes, content: Any) -> tuple[Any, Any, Any]:
    """An image as one region. Without a class that costs something it costs nothing and counts as an image alone."""
    return mpf(1 if any(seen.costs and seen.weight for seen in classes) else 0), mpf(1), content


def cells_of(
    problem: Problem, activation: str, ignore_index: int | None, batch: bool
) -> list[list[list[Cell]]]:
    """The cells of every class of every image, or of the batch as if it were one image."""
    found: list[list[list[Cell]]]
    found = [[[] for _ in range(problem.classes)] for _ in range(1 if batch else problem.images)]
    for pixel in problem.pixels(ignore_index):
        image, sample_weight = found[0 if batch else pixel.image], pixel.sample_weight if batch else 1
        prediction = probabilities(pixel.logits, activation)
        for cells, mask, p, y in zip(image, pixel.masks, prediction, pixel.target, strict=True):
            if mask > 0:
                place = (pixel.image, *pixel.position)
                cells.append(Cell(mask * sample_weight, p, y, place, pixel.instance))
    return found


def of_means(
    weights: Sequence[Any], counted: Sequence[Any], groups: Sequence[Any], average: str, divisor: str
) -> tuple[list[Any], list[Any]]:
    """The weights of images and classes, in this order, in a mean of means, and what they add to what it divides by: of
    groups that count for so much each, and are the images or the classes."""
    classes = len(weights) // len(groups) if average == "image" else len(groups)
    found: tuple[list[Any], list[Any]] = [], []
    for k, pair in enumerate(zip(weights, counted, strict=True)):
        group = k // classes if average == "image" else k % classes
        others = (
            counted[group * classes : (group + 1) * classes]
            if average == "image"
            else counted[group::classes]
        )
        for numbers, number in zip(found, pair, strict=True):
            numbers.append(groups[group] * number / total(others) if total(others) else mpf(0))
        if average == "image" and divisor == "all" and not total(others):
            found[1][-1] = mpf(1) / classes
    return found


def counts(cells: Sequence[Cell], c: int, absent: str, include_background: bool) -> bool:
    """Whether a class has a pixel, is no background to be left out, and is there if it has to be."""
    if not cells or (c == 0 and not include_background):
        return False
    return absent == "count" or total(cell.w * cell.y for cell in cells) != 0


def one_minus(numerator: Any, denominator: Any) -> tuple[Any, Any]:
    """1 − n/d and its scale; 0/0 is a perfect score."""
    ratio = numerator / denominator if plain(denominator) != 0 else mpf(1)
    return 1 - ratio, 1 + abs(plain(ratio))


def minus_log(loss: Any, log: bool = False) -> Any:
    """−log of the score in place of 1 less it, where a loss is told so."""
    if not log:
        return loss
    return -logarithm(1 - loss if isinstance(loss, Scalar) else Scalar(1 - loss))


def scale_after(then: Callable[..., Any], loss: Any, scale: Any, options: dict[str, Any]) -> Any:
    """The scale of a function of the loss: an error of the loss arrives multiplied by the function's slope."""
    x = Scalar(plain(loss))
    value = then(x, **options)
    (slope,) = gradient(value, [x])
    return abs(slope) * scale + abs(plain(value))


def weighted(
    losses: Sequence[Any],
    scales: Sequence[Any],
    weights: Sequence[Any],
    reduction: str,
    shape: tuple[int, ...],
    counted: Sequence[Any] | None = None,
) -> Result:
    """Σ ω L / Σ ω, its numerator for "sum", its terms for "none"; `counted` in the place of ω in the divisor."""
    loss_terms = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
    scale_terms = [weight * scale for weight, scale in zip(weights, scales, strict=True)]
    if reduction == "none":
        return loss_terms, shape, scale_terms
    if total(weights) == 0:
        return mpf(0), (), mpf(0)
    divisor = {"mean": total(weights if counted is None else counted), "sum": mpf(1)}[reduction]
    return total(loss_terms) / divisor, (), total(scale_terms) / divisor


# --- One number for each pixel, or for each class of each pixel --------------------------------------------


@dataclass(frozen=True)
class Place:
    """Which of how many classes, and whether they exclude each other or each is a yes (p) or no (1 − p) of its own."""

    c: int
    classes: int
    exclusive: bool


@dataclass(frozen=True)
class PixelCosts:
    """The map of what pixels cost, and its pooling."""

    cost: Callable[..., Any]
    """The cost of a probability p against its target y at a `Place`, and of the loss's own hyper-parameters. A formula
    looks at `y > 0` and `y < 1` first, so that 0 · log 0 is 0."""
    activation: str = "softmax"
    """The default."""
    may_exclude: bool = True
    """Whether the classes of a pixel share one cost where they exclude each other."""
    mean: Callable[[Sequence[Term]], Any] | None = None
    """What reduction="mean" is, if not Σ ω ℓ / Σ ω."""

    def __call__(
        self,
        problem: Problem,
        *,
        activation: str | None = None,
        ignore_index: int | None = None,
        reduction: Any = "mean",
        class_weights: Sequence[float] | None = None,
        divisor: str = "weights",
        **options: Any,
    ) -> Result:
        pixels = list(problem.pixels(ignore_index))
        terms, shape = self.terms(problem, pixels, activation or self.activation, class_weights, **options)
        if divisor != "weights":
            terms = by_number(terms, places(problem, shape, pixels, divisor))
        elif self.mean is not None and reduction == "mean":
            value = self.mean(terms)
            return value, (), abs(plain(value))
        return pooled(terms, reduction, shape)

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        overlapping: bool | None = None,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        """What counts in the map, and its shape: (N, *S) for exclusive classes, (N, C, *S) otherwise.

        Exclusive: cost Σ_c w_c cost_c / W with pixel weight mask · sample weight · W, W = Σ_c w_c y_c. Otherwise each
        class is a term with weight mask · sample weight · w_c.
        """
        exclusive = self.are_exclusive(activation, problem.classes, overlapping)
        w = [mpf(1)] * problem.classes if class_weights is None else [mpf(weight) for weight in class_weights]
        terms = []
        for pixel in pixels:
            prediction = probabilities(pixel.logits, activation)
            costs = [
                self.cost(prediction[c], pixel.target[c], Place(c, problem.classes, exclusive), **options)
                for c in range(problem.classes)
            ]
            if exclusive:
                weight = pixel.mask * pixel.sample_weight
                class_weight = total(w[c] * pixel.target[c] for c in range(problem.classes))
                if class_weight > 0:
                    shared = total(w[c] * costs[c] for c in range(problem.classes)) / class_weight
                    terms.append(Term(index_of(problem, pixel), shared, weight * class_weight))
            else:
                terms += [
                    Term(
                        index_of(problem, pixel, c),
                        costs[c],
                        pixel.masks[c] * pixel.sample_weight * w[c],
                        pixel.target[c],
                    )
                    for c in range(problem.classes)
                    if pixel.masks[c] * w[c] > 0
                ]
        return terms, problem.map_shape if exclusive else problem.shape

    def are_exclusive(self, activation: str, classes: int, overlapping: bool | None = None) -> bool:
        """Whether a pixel's classes share one cost: under softmax, or as probabilities of several classes, if nothing
        else is said."""
        if overlapping is not None:
            return not overlapping
        return self.may_exclude and (activation == "softmax" or (activation == "identity" and classes > 1))


def index_of(problem: Problem, pixel: Pixel, c: int | None = None) -> int:
    """Where a pixel, or one of its classes, stands in the flat map."""
    index = pixel.image if c is None else pixel.image * problem.classes + c
    for size, position in zip(problem.space, pixel.position, strict=True):
        index = index * size + position
    return index


def places(problem: Problem, shape: Sequence[int], pixels: Sequence[Pixel], divisor: str) -> list[int]:
    """Where the flat map has something that counts, whatever it weighs: valid pixels, or all of them."""
    if divisor == "all":
        return list(range(prod(shape)))
    if tuple(shape) == problem.map_shape:
        return [index_of(problem, pixel) for pixel in pixels]
    return [
        index_of(problem, pixel, c) for pixel in pixels for c in range(problem.classes) if pixel.masks[c] > 0
    ]


def by_number(terms: Sequence[Term], where: Iterable[int]) -> list[Term]:
    """What each place of the map costs, weight included, as one of so many. Where there is no term that is 0."""
    found = {term.index: term.weight * term.cost for term in terms}
    return [Term(k, found.get(k, mpf(0)), mpf(1)) for k in where]


def pooled(terms: Sequence[Term], reduction: Any, shape: tuple[int, ...]) -> Result:
    """The reduced map. Costs are sums of terms of one sign, so the value is its own scale."""
    value = pool(terms, reduction, shape)
    if reduction == "none":
        return value, shape, [abs(plain(v)) for v in value]
    return value, (), abs(plain(value))


def clipped(p: Scalar, clip: float) -> Scalar:
    """p, or the nearer end of [clip, 1 − clip], which has no slope. At an end p itself."""
    lowest, highest = mpf(clip), 1 - mpf(clip)
    return p if lowest <= p.value <= highest or clip == 0 else Scalar(lowest if p.value < lowest else highest)

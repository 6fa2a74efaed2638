"""What is asked of somebody's own: a right formula passes as accurate, a wrong one does not, conventions have names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import seglosses_core
from seglosses_conformance import conform
from seglosses_conformance.cases import Case, load_cases
from seglosses_conformance.checks import smooth_cases
from seglosses_conformance.faults import GradientFault
from seglosses_conformance.grades import CONVENTIONS, GRADES, conventions_of, excuses, reaches
from seglosses_conformance.judging import failed
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.records import Record, Result
from seglosses_conformance.report import Report
from seglosses_conformance.tolerance import DTYPES

torch = pytest.importorskip("torch")
import seglosses_torch  # noqa: E402

CASES = {case.id: case for case in load_cases()}
LOSSES = sorted(ENTRIES)


def one_hot(target: Any, logits: Any) -> Any:
    if target.ndim == logits.ndim:
        return target.to(logits.dtype)
    return torch.nn.functional.one_hot(target, logits.shape[1]).movedim(-1, 1).to(logits.dtype)


def dice(
    logits: Any, target: Any, smooth: float = 1e-5, include_background: bool = True, reduction: str = "mean"
) -> Any:
    """As anybody would write it."""
    p, y = torch.softmax(logits, 1), one_hot(target, logits)
    if not include_background:
        p, y = p[:, 1:], y[:, 1:]
    space = tuple(range(2, p.ndim))
    costs = 1 - (2 * (p * y).sum(space) + smooth) / ((p + y).sum(space) + smooth)
    return costs if reduction == "none" else getattr(costs, reduction)()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Any) -> Any:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return 2 * upstream


def doubled_gradient(logits: Any, target: Any) -> Any:
    return dice(Doubled.apply(logits), target)


def epsilon_of_one(logits: Any, target: Any) -> Any:
    return dice(logits, target, 1.0)


def epsilon_of_a_thousandth(logits: Any, target: Any) -> Any:
    return dice(logits, target, 1e-3)


def over_the_batch(logits: Any, target: Any) -> Any:
    return dice(
        logits.transpose(0, 1).flatten(1)[None], one_hot(target, logits).transpose(0, 1).flatten(1)[None]
    )


def a_thousandth_more(logits: Any, target: Any) -> Any:
    return 1.001 * dice(logits, target)


def plainly(implementation: Any, *, grade: str, dtypes: Any = ("float32",), **options: Any) -> Report:
    """The cases alone."""
    return conform(
        implementation, "DiceLoss", grade=grade, dtypes=dtypes, wanted=lambda r: r.check is None, **options
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plain_formula_passes_as_accurate(dtype: str) -> None:
    report = conform(dice, "DiceLoss", grade="accurate", dtypes=[dtype])
    assert report.conforms, report
    assert report.counts["pass"] >= 25
    assert {name for r in report.records for name in r.conventions} >= {"bad labels", "no spatial axis"}


def test_a_plain_formula_is_not_exact() -> None:
    report = plainly(dice, grade="exact", cases=["dice/perfect"])
    (record,) = report.records
    assert (record.outcome, record.grade, record.cause) == ("fail", "convention", "rounding, as of autodiff")
    assert record.gradient_error > record.gradient_tolerance
    assert plainly(dice, grade="convention", cases=["dice/perfect"]).conforms


def test_a_number_for_each_image_is_told() -> None:
    def per_image(logits: Any, target: Any) -> Any:
        return dice(logits, target, reduction="none").mean(1)

    report = conform(
        per_image,
        "DiceLoss",
        cases=["dice/labels"],
        dtypes=["float32"],
        wanted=lambda record: record.check in (None, "permuted pixels"),
    )
    assert [record.cause for record in report.records] == ["another shape", ""]
    assert report.records[0].reason == "the value has shape (2,), expected ()"


@pytest.mark.parametrize(
    "wrong",
    [doubled_gradient, epsilon_of_one, epsilon_of_a_thousandth, over_the_batch, a_thousandth_more],
    ids=lambda function: function.__name__,
)
def test_a_wrong_formula_is_not_accurate(wrong: Any) -> None:
    report = plainly(wrong, grade="accurate")
    assert report.counts["fail"] >= 3
    assert "dice/labels" in {record.case for record in report.records if record.outcome == "fail"}


def test_an_epsilon_in_another_place_is_told_by_its_name() -> None:
    def below(logits: Any, target: Any, smooth: float = 1e-5) -> Any:
        p, y = torch.softmax(logits, 1), one_hot(target, logits)
        return (1 - 2 * (p * y).sum((2, 3)) / ((p + y).sum((2, 3)) + smooth)).mean()

    record = next(
        r for r in plainly(below, grade="accurate", cases=["dice/smooth-*"]).records if r.conventions
    )
    assert (record.case, record.conventions, record.outcome) == ("dice/smooth-1", ["ε"], "differs")
    assert not plainly(below, grade="convention", cases=["dice/smooth-*"]).conforms


def of_init(kind: Any) -> inspect.Signature:
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    return inspect.Signature([own, *inspect.signature(kind).parameters.values()])


def with_gradient_fault(kind: Any, fault: GradientFault) -> Any:
    """A loss of ours as somebody's own class in NumPy, with a fault."""

    class Wrong:
        def __init__(self, **hyperparameters: Any) -> None:
            self.loss = kind(**hyperparameters)

        __init__.__signature__ = of_init(kind)  # type: ignore[attr-defined]

        def __call__(self, logits: Any, target: Any, **arrays: Any) -> Any:
            value, gradient = self.loss.value_and_grad(logits, target, **arrays)
            return value, fault(gradient[0] if isinstance(gradient, tuple) else gradient)

    return Wrong


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fault_in_a_gradient_is_not_rounding(loss: str) -> None:
    of_loss = smooth_cases([case for case in CASES.values() if case.loss == loss])
    asked = [case for case in of_loss if not excuses(conventions_of(case), raised=False)]
    cases = [case.id for case in sorted(asked, key=lambda case: case.logits.size)[:4]]
    reports = [
        conform(
            with_gradient_fault(getattr(seglosses_core, loss), fault),
            loss,
            framework="numpy",
            grade="accurate",
            cases=cases,
            dtypes=["float32"],
            wanted=lambda record: record.check is None,
        )
        for fault in (lambda g: g, ENTRIES[loss].gradient_fault)
    ]
    assert [report.conforms for report in reports] == [True, False]


# -- conventions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_is_that_of_some_cases(name: str) -> None:
    assert any(CONVENTIONS[name].applies(case) for case in CASES.values())


@pytest.mark.parametrize("loss", LOSSES)
def test_some_cases_of_a_loss_are_about_its_formula_alone(loss: str) -> None:
    assert sum(not conventions_of(case) for case in CASES.values() if case.loss == loss) >= 3


@pytest.mark.parametrize(
    ("case", "conventions"),
    [
        ("dice/labels", []),
        ("dice/perfect", []),
        ("dice/smooth-0", []),
        ("dice/smooth-1", ["ε"]),
        ("dice/label-outside", ["bad labels"]),
        ("dice/mask-negative", ["bad numbers", "weights of pixels and images"]),
        ("dice/absent-class", ["absent classes"]),
        ("dice/soft", ["soft targets"]),
        ("dice/soft-sums", ["targets of any sum", "soft targets"]),
        ("dice/one-hot", ["one-hot targets"]),
        ("dice/identity-one-class", ["soft targets", "one class"]),
        ("dice/no-space", ["no spatial axis"]),
        ("dice/volume", ["one spatial axis or three"]),
    ],
)
def test_what_a_case_is_about(case: str, conventions: list[str]) -> None:
    assert conventions_of(CASES[case]) == conventions


def refusing(kind: type[Exception], when: Callable[[Any, Any], bool]) -> Any:
    def refuse(logits: Any, target: Any) -> Any:
        if when(logits, target):
            raise kind("not here")
        return dice(logits, target)

    return refuse


def test_refused_soft_targets_are_a_convention_and_refused_labels_are_none() -> None:
    def soft(logits: Any, target: Any) -> bool:
        return target.ndim == logits.ndim

    for when, case, outcome, cause in (
        (soft, "dice/soft", "differs", "raises ValueError"),
        (lambda *arrays: not soft(*arrays), "dice/labels", "fail", "raises ValueError"),
    ):
        (record,) = plainly(refusing(ValueError, when), grade="accurate", cases=[case]).records
        assert (record.outcome, record.cause) == (outcome, cause)


def test_another_number_for_soft_targets_is_a_failure() -> None:
    def harder(logits: Any, target: Any) -> Any:
        return dice(logits, target.round() if target.ndim == logits.ndim else target)

    (record,) = plainly(harder, grade="accurate", cases=["dice/soft"]).records
    assert (record.outcome, record.conventions) == ("fail", [])


@pytest.mark.parametrize(("raised", "outcome"), [("ValueError", "differs"), ("", "fail")])
def test_what_ends_its_process_refuses_nothing(raised: str, outcome: str) -> None:
    record = Record("DiceLoss", "dice/soft", None, "own:dice", "float32", 1, "cpu", "fail")
    record.conventions = ["soft targets"]
    failed(record, "accurate", Result(outcome="fail", reason="why", raised=raised))
    assert record.outcome == outcome


def test_of_ours_no_convention_is_another() -> None:
    record = Record("DiceLoss", "dice/soft", None, "torch", "float32", 1, "cpu", "fail")
    failed(record, None, Result(outcome="fail", reason="why", raised="ValueError"))
    assert (record.outcome, record.grade) == ("fail", None)


def test_each_grade_asks_for_those_before_it() -> None:
    order = list(GRADES)
    assert [[reaches(grade, asked) for asked in order] for grade in (None, *order)] == np.tri(
        4, 3, -1
    ).tolist()


# -- how an implementation is called --------------------------------------------------------------------------------


class Foreign(torch.nn.Module):
    """Another library's names, and another form of labels."""

    def __init__(
        self, softmax: bool = False, smooth_nr: float = 0.0, smooth_dr: float = 0.0, batch: bool = False
    ):
        super().__init__()
        self.settings = softmax, smooth_nr, smooth_dr, batch

    def forward(self, y_pred: Any, y_true: Any, weights: Any = None) -> Any:
        assert y_pred.shape == y_true.shape, "ground truth has another shape"
        softmax, above, below, batch = self.settings
        p = torch.softmax(y_pred, 1) if softmax else y_pred
        space = ((0,) if batch else ()) + tuple(range(2, p.ndim))
        return (1 - (2 * (p * y_true).sum(space) + above) / ((p + y_true).sum(space) + below)).mean()


RENAMED: dict[str, Any] = {
    "set": {"target": "one-hot"},
    "rename": {
        "activation:softmax": "softmax:true",
        "activation:identity": "",
        "smooth": ["smooth_nr", "smooth_dr"],
        "aggregate:batch": "batch:true",
        "logits": "y_pred",
        "target": "y_true",
    },
}
ANSWERED = ["dice/labels", "dice/smooth-?", "dice/batch", "dice/identity", "dice/soft", "dice/one-hot"]


def test_other_names_are_given() -> None:
    report = plainly(Foreign, grade="accurate", cases=ANSWERED, **RENAMED)
    assert (report.conforms, report.counts) == (True, {"pass": 7}), report


@pytest.mark.parametrize(
    ("cases", "change", "reason"),
    [
        (["dice/sigmoid-extreme"], {}, "has no parameter 'activation', which is 'sigmoid' in this case"),
        (["dice/mask"], {}, "a label that is no class, ignored or not, has no such form"),
        (["dice/class-weights"], {}, "has no parameter 'class_weights', which is given in this case"),
        (["dice/batch"], {"rename": {}}, "has no parameter 'aggregate', which is 'batch' in this case"),
    ],
)
def test_what_has_no_name_there_is_unsupported(cases: list[str], change: Any, reason: str) -> None:
    (record,) = plainly(Foreign, grade="accurate", cases=cases, **RENAMED | change).records
    assert record.outcome == "unsupported"
    assert record.reason.endswith(reason)


def test_what_is_set_is_asked_of_no_other_case() -> None:
    report = plainly(dice, grade="accurate", cases=["dice/labels", "dice/sum"], set={"reduction": "sum"})
    found = {record.case: (record.outcome, record.reason) for record in report.records}
    why = "'reduction' is set to 'sum', and is 'mean' in this case"
    assert found == {"dice/labels": ("unsupported", why), "dice/sum": ("pass", "")}


@pytest.mark.parametrize("form", ["one-hot", "channel"])
@pytest.mark.parametrize("name", ["dice/labels", "dice/sigmoid"])
def test_labels_in_another_form(form: str, name: str) -> None:
    seen = []

    def look(logits: Any, target: Any, activation: str = "softmax") -> Any:
        seen.append(target)
        return dice(logits, target[:, 0].long()) if form == "channel" else dice(logits, target)

    plainly(look, grade="accurate", cases=[name], set={"target": form})
    case: Case = CASES[name]
    if form == "channel":
        expected = case.target[:, None]
    else:
        classes = [1] if case.logits.shape[1] == 1 else range(case.logits.shape[1])
        expected = np.stack([case.target == number for number in classes], axis=1)
        assert seen[0].dtype == torch.float32
    np.testing.assert_array_equal(seen[0], expected)


def test_an_object_is_described_by_its_forward() -> None:
    report = plainly(
        Foreign(softmax=True), grade="accurate", cases=["dice/labels"], set={"target": "one-hot"}
    )
    assert report.conforms, report


def test_labels_that_are_refused_get_a_hint() -> None:
    hint = "; labels are given as (2, 2, 3), in another form by --set target=one-hot or --set target=channel"
    (record,) = plainly(Foreign(softmax=True), grade="accurate", cases=["dice/labels"]).records
    assert record.reason.endswith(hint)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grade": "good"}, "grade: there is no 'good'; there are accurate, convention, exact"),
        ({"dtypes": ["float8"]}, "dtypes: there is no 'float8'"),
        ({"framework": "mxnet"}, "framework: there is no 'mxnet'"),
        ({"loss": "DieceLoss"}, "loss: there is no 'DieceLoss'"),
        ({"cases": ["dice/lables"]}, "there is no case 'dice/lables'; did you mean dice/labels"),
        ({"cases": ["focal/*"]}, r"there is no case 'focal/\*'; --list shows all"),
        ({"set": {"softmx": True}}, "--set softmx: .*:Foreign has no parameter 'softmx'; it has softmax"),
        ({"set": {"target": "other"}}, "one-hot or channel, not 'other'"),
        ({"rename": {"smooth": "eps"}}, "--rename smooth=eps: .*:Foreign has no parameter 'eps'"),
        ({"rename": {"smoth": "smooth_nr"}}, "--rename smoth=smooth_nr: DiceLoss has no 'smoth'"),
        ({"rename": {"smooth": "smooth_nr:1"}}, "expected OURS=THEIRS or OURS:VALUE=THEIRS:VALUE, got"),
        ({"rename": {"smooth": ""}}, "expected OURS=THEIRS"),
    ],
)
def test_a_wrong_call_is_told(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        conform(Foreign, **{"loss": "DiceLoss", **options})


# -- what it seems to compute ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (doubled_gradient, "another gradient, 2 times what is expected"),
        (a_thousandth_more, "another value and gradient, 1.001 times what is expected"),
        (epsilon_of_one, "another value and gradient, as with smooth=1.0"),
        (over_the_batch, "another value and gradient, as with aggregate='batch'"),
        (lambda logits, target: logits.sum() * 0 + 0.5, "another value and gradient"),
    ],
)
def test_a_guess_at_what_is_computed(wrong: Any, cause: str) -> None:
    (record,) = plainly(wrong, grade="accurate", cases=["dice/labels"]).records
    assert record.cause == cause


def test_a_convention_is_told_with_what_it_is_instead() -> None:
    def skipping(logits: Any, target: Any) -> Any:
        return seglosses_torch.DiceLoss(absent="skip")(logits, target)

    (record,) = plainly(skipping, grade="accurate", cases=["dice/absent-class"]).records
    assert record.outcome == "differs"
    assert record.conventions == ["absent classes"]
    assert record.cause == "another value and gradient, as with absent='skip'"

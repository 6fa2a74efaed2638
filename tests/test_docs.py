"""What the site is built from, as far as it can be checked without Sphinx: pages, parameters, formulas and pictures."""

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import seglosses_core

DOCS = Path(__file__).parents[1] / "docs"
sys.path.append(str(DOCS))

from ext import catalogue, docstrings, formulas, guide, pages, pictures  # noqa: E402

NAMES = [one.__name__ for one in catalogue.OFFERED]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that is written when the site is built, but for pictures."""
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "illustrated", lambda one, folder: iter(()))
        pages.write(folder)
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}


# -- pages ------------------------------------------------------------------------------------------------------------


def test_all_that_is_public_is_in_one_family() -> None:
    public = {name for name in seglosses_core.__all__ if not name.isupper()} - {"Loss", "Pooling"}
    listed = Counter(one.__name__ for members in catalogue.by_family().values() for one in members)
    assert listed == dict.fromkeys(public, 1)


def test_each_class_and_function_is_documented_once(made: dict[str, str]) -> None:
    directives = re.findall(
        r"^\.\. auto(?:class|function):: ([\w.]+)$", "\n".join(made.values()), re.MULTILINE
    )
    shared = [f"{kind.__module__}.{kind.__name__}" for kind in catalogue.SHARED]
    assert Counter(directives) == dict.fromkeys([*(f"seglosses_core.{name}" for name in NAMES), *shared], 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_listed_in_its_family(made: dict[str, str], name: str) -> None:
    family = catalogue.family_of(getattr(seglosses_core, name))
    assert made[f"losses/{name}.md"].startswith(f"# {name}\n")
    assert f"[`{name}`]({name}.md)\n: " in made[f"losses/{family}.md"]
    assert f"[{name}]({name}.md)" in made["losses/index.md"]


def test_links_between_pages_lead_somewhere(made: dict[str, str]) -> None:
    written = {DOCS / path for path in made}
    for path in [*written, *DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")]:
        text = made.get(str(path.relative_to(DOCS))) or path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+\.md)\)", text):
            target = (path.parent / link).resolve()
            assert target in written or target.is_file(), f"{path.name} links to {link}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("DiceLoss", "nnU-Net"),
        ("TverskyLoss", "α weighs false positives in both."),
        ("BoundaryLoss", "MONAI"),
    ],
)
def test_a_page_says_what_other_libraries_do(made: dict[str, str], name: str, told: str) -> None:
    assert told in made[f"losses/{name}.md"].partition("## In other libraries")[2]


def test_a_script_has_a_page_and_what_it_imports_has_none(made: dict[str, str]) -> None:
    assert "python examples/train_torch.py" in made["examples/train_torch.md"]
    assert "examples/scenes.md" not in made


# -- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", catalogue.OFFERED, ids=NAMES)
def test_every_parameter_is_explained(one: catalogue.Documented) -> None:
    assert docstrings.undocumented(one) <= {"package"}


def test_a_class_says_it_in_its_own_words_first() -> None:
    own, shared = docstrings.parameters(seglosses_core.LovaszSoftmaxLoss)
    said = {parameter.names: " ".join(parameter.about) for parameter in own}
    assert said["absent"] == "A class that is absent, if it counts, costs its largest error."
    assert "Whether class 0 counts." in said["include_background"]
    assert "class_axis" in {parameter.names for parameter in shared}


def test_markup_of_the_other_language_is_escaped() -> None:
    assert (
        docstrings.in_rst("the mean of |p − y|, **common and y_")
        == r"the mean of \|p − y\|, \*\*common and y\_"
    )
    assert docstrings.in_rst("`smooth=0`s and `I = Σ y p`.") == r"``smooth=0``\ s and :math:`I = \sum y p`."


# -- formulas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (
            "L = 1 − (2 Σ y p + ε) / (Σ p + ε)",
            r"L = 1 - \frac{2 \sum y p + \varepsilon}{\sum p + \varepsilon}",
        ),
        ("ℓ = |y − p|^β log p", r"\ell = |y - p|^{\beta} \log \, p"),
        ("(Σ ω ℓ^k / Σ ω)^(1/k)", r"\left( \frac{\sum \omega \ell^{k}}{\sum \omega} \right)^{1 / k}"),
        ("M_y0 = Xᵀ Y", r"M_{y 0} = X^{\top} Y"),
        (
            "(λ / C) Σ_c max(max_j z_j − z_c, 0)",
            r"\frac{\lambda}{C} \sum_{c} \max (\max_{j} z_{j} - z_{c}, 0)",
        ),
        ("√(|∇p|² + 10⁻⁸)", r"\sqrt{|\nabla p|^{2} + 10^{-8}}"),
    ],
)
def test_a_formula_in_latex(text: str, latex: str) -> None:
    assert formulas.is_formula(text)
    assert formulas.latex(text, display=True) == latex


@pytest.mark.parametrize(
    "text", ["(N, C, *S)", "smooth=0", "mask", "min_kept", "DiceLoss()", "(p", 'log="x"']
)
def test_code_is_no_formula(text: str) -> None:
    assert not formulas.is_formula(text)


@pytest.mark.parametrize("loss", seglosses_core.LOSSES, ids=lambda loss: loss.__name__)
def test_what_a_loss_is_said_to_be_can_be_typeset(loss: type) -> None:
    said = re.findall(r"`([Lℓ] = [^`]*)`", loss.__doc__)
    assert all(formulas.is_formula(" ".join(formula.split())) for formula in said)


# -- pictures and numbers ---------------------------------------------------------------------------------------------


def test_the_curve_of_cross_entropy() -> None:
    values, slopes = pictures.curve(pictures.CROSS_ENTROPY, pictures.of_one_pixel())
    np.testing.assert_allclose(values, -np.log(pictures.P))
    np.testing.assert_allclose(slopes, pictures.P - 1)


@pytest.mark.parametrize("name", ["DiceLoss", "LovaszSoftmaxLoss", "GeneralizedWassersteinDiceLoss"])
def test_a_slope_is_that_of_the_curve(name: str) -> None:
    values, slopes = pictures.curve(pictures.called(getattr(seglosses_core, name)), pictures.of_all_pixels())
    np.testing.assert_allclose(np.gradient(values, pictures.Z)[5:-5], slopes[5:-5], rtol=0.02, atol=0.002)


def test_the_guide_has_claims_that_are_decided() -> None:
    said = guide.decided()
    assert {line.split(":")[0] for line in said.splitlines() if line.startswith("- ")} == {
        "- **Holds**",
        "- **Contradicted**",
    }
    assert "*Distance-aware cross-entropy*\n\n- **Holds**: " in said


def test_the_guide_shows_losses_with_all_seeds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "| Jaccard |" in guide.scores()
    monkeypatch.setattr(guide, "ROWS", [row for row in guide.ROWS if (row.loss, row.seed) != ("Jaccard", 0)])
    assert "| Jaccard |" not in guide.scores()
    assert "Jaccard; " in guide.unknown()

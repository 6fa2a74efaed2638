"""The page of recipes, as far as it can be checked without the other projects: its text, lines and formulas."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import seglosses_core

DOCS = Path(__file__).parents[1] / "docs"
MADE = runpy.run_path(str(DOCS / "make_recipes.py"))
PAGE = (DOCS / "recipes.md").read_text(encoding="utf-8")
RECIPES = {recipe.title: recipe for recipe in MADE["RECIPES"]}
NUMBERS = re.findall(r"^`\(logits, \w+\)`: ([\d.]+), there ([\d.]+) by", PAGE, re.MULTILINE)
VALUES = dict(zip(RECIPES, NUMBERS, strict=True))
IMPORTED: dict = {}
exec(re.findall(r"from seglosses_torch import \([^)]*\)", PAGE)[0], IMPORTED)


def of_torch(title: str) -> tuple[torch.Tensor, torch.Tensor]:
    return MADE["run"](f"({RECIPES[title].line})(logits, {RECIPES[title].target})", IMPORTED)


def test_the_page_has_the_text_of_the_script() -> None:
    sections = [
        MADE["SECTION"].format(**vars(RECIPES[title]), here=a, there=b) for title, (a, b) in VALUES.items()
    ]
    assert PAGE.endswith("".join([f"```python\n{MADE['INPUTS']}```\n", *sections])), (
        "the page is out of date: CONTRIBUTING.md says how it is made"
    )


@pytest.mark.parametrize("title", RECIPES)
def test_a_line_gives_the_numbers_of_the_page(title: str) -> None:
    value, _ = of_torch(title)
    for number in VALUES[title]:
        assert float(value) == pytest.approx(float(number), rel=1e-5)


@pytest.mark.parametrize("title", RECIPES)
def test_a_line_is_the_same_loss_in_the_core(title: str) -> None:
    value, gradient = of_torch(title)
    given = {"torch": torch, "one_hot": torch.nn.functional.one_hot}
    exec(MADE["INPUTS"], given)
    loss = eval(RECIPES[title].line, vars(seglosses_core).copy())
    found = loss.value_and_grad(given["logits"].detach().numpy(), given[RECIPES[title].target].numpy())
    np.testing.assert_allclose(found[0], value, rtol=1e-12)
    np.testing.assert_allclose(found[1], gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("title", [title for title, one in RECIPES.items() if one.module.startswith("torch")])
def test_a_formula_has_the_value_and_the_gradient_of_its_line(title: str) -> None:
    assert MADE["section"](RECIPES[title]) in PAGE


def test_a_line_of_another_loss_is_an_error() -> None:
    recipe = MADE["Recipe"]("Swin-Unet", RECIPES["TransUNet"].line, "", RECIPES["Swin-Unet"].theirs)
    with pytest.raises(SystemExit, match=r"Swin-Unet: 0\.5 .* differ by"):
        MADE["section"](recipe)

"""`import seglosses`, and what is said where a framework is not installed; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))  # None there is what an import takes for a module that is absent
{statement}
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)


def check(program: str) -> None:
    done = run(program)
    assert done.returncode == 0, done.stderr


def last_line(*hidden: str, statement: str) -> str:
    done = run(WITHOUT.format(hidden=hidden, statement=statement))
    assert done.returncode == 1, done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    check("""
import sys, seglosses
assert {name.partition(".")[0] for name in sys.modules}.isdisjoint({"seglosses_core", "numpy", "torch", "jax", "keras"})
assert {"core", "torch", "jax", "keras", "__version__"} <= set(dir(seglosses))
import seglosses_core
assert seglosses.core is seglosses_core
""")


@pytest.mark.parametrize("name", ["core", "torch", "jax", "keras"])
def test_the_same_modules(name: str) -> None:
    """Whichever name is imported first, here that of `seglosses`, and what is deeper down too."""
    check(f"""
import sys
import seglosses.{name}.presets.monai as peer
from seglosses.{name} import DiceLoss
from seglosses.{name}.presets import monai
import seglosses_{name}.presets.monai, seglosses
assert seglosses.{name} is seglosses_{name} is sys.modules["seglosses.{name}"]
assert DiceLoss is seglosses_{name}.DiceLoss
assert peer is monai is seglosses_{name}.presets.monai
assert peer.DiceCELoss is seglosses_{name}.presets.monai.DiceCELoss
import seglosses_{name}.presets, importlib
assert seglosses_{name}.__name__ == seglosses_{name}.__spec__.name == "seglosses_{name}"
importlib.reload(seglosses_{name}.presets)
""")


def test_the_same_modules_in_the_other_order() -> None:
    check("""
import seglosses_torch.presets.monai, seglosses_torch.module
import seglosses.torch.module, seglosses.torch.presets.monai
assert seglosses.torch.module is seglosses_torch.module
assert seglosses.torch.presets.monai is seglosses_torch.presets.monai
""")


def test_names_that_are_not_there() -> None:
    check("""
import seglosses
for statement, kind in (("seglosses.mxnet", AttributeError), ("import seglosses.mxnet", ModuleNotFoundError),
                        ("import seglosses.torch_", ModuleNotFoundError),
                        ("import seglosses.core.nothing", ModuleNotFoundError)):
    try:
        exec(statement)
    except kind as error:
        assert "mxnet" in str(error) or "torch_" in str(error) or "nothing" in str(error), error
    else:
        raise AssertionError(statement)
""")


@pytest.mark.parametrize("package", ["seglosses.{}", "seglosses_{}"])
@pytest.mark.parametrize("name", ["torch", "jax", "keras"])
def test_a_framework_that_is_not_installed(name: str, package: str) -> None:
    said = last_line(name, statement=f"import {package.format(name)}")
    assert said == (
        f'ModuleNotFoundError: seglosses_{name} needs {name}, which is not installed: pip install "seglosses[{name}]"'
    )


def test_another_module_that_is_not_installed_is_named_as_it_is() -> None:
    said = last_line("array_api_compat.torch", statement="import seglosses.torch")
    assert "pip install" not in said
    assert "array_api_compat.torch" in said


@pytest.mark.parametrize("module", ["rich", "mpmath", "jinja2"])
def test_the_conformance_suite_without_its_extra(module: str) -> None:
    statement = "from seglosses_conformance.__main__ import main\nsys.exit(main(['--list']))"
    assert last_line(module, statement=statement) == (
        f'seglosses-conformance needs {module}, which is not installed: pip install "seglosses[conformance]"'
    )

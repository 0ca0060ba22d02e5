"""What describes the repository to others, GitHub and those who cite it: valid, and about this version."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from kineseg import __version__

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
CITATION = ROOT / "CITATION.cff"


def schema_of(path: Path) -> str:
    if path.parent.name == "ISSUE_TEMPLATE":
        return "vendor.github-issue-config" if path.stem == "config" else "vendor.github-issue-forms"
    return {"CITATION": "vendor.citation-file-format", "dependabot": "vendor.dependabot"}[path.stem]


@pytest.mark.parametrize("path", [CITATION, ROOT / ".github" / "dependabot.yml", *FORMS], ids=lambda path: path.name)
def test_it_is_what_github_expects(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--default-filetype", "yaml"]
    done = subprocess.run(
        [*command, "--builtin-schema", schema_of(path), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_forms_for_issues() -> None:
    assert {path.stem for path in FORMS} > {"config"}


def test_the_citation_is_of_this_version_and_names_what_is_reproduced() -> None:
    text = CITATION.read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in text
    references = text.partition("\nreferences:\n")[2]
    for year, author in ((2019, "Shlizerman"), (2015, "Srivastava"), (2023, "Das")):
        assert f"family-names: {author}" in references
        assert f"year: {year}" in references


def test_the_changelog_has_this_version_and_a_place_for_the_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n## [Unreleased]\n" in text
    assert f"\n## [{__version__}] - " in text


def test_the_package_says_where_it_is_from() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} <= set(project["urls"])

"""The command, at its smallest: experiments run, the page holds everything, what is finished is not done again."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kineseg_training.commands import app
from typer.testing import CliRunner, Result

KEYS = ("gradcam", "clips")


def report(out: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["report", str(out), "--preset", "tiny", "--quiet", "--jobs", "1", *options])


class Links(HTMLParser):
    """Where a page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.targets: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "src":
                self.sources.append(value or "")
            if name == "href":
                self.targets.append(value or "")
            if name == "id":
                self.ids.add(value or "")


@pytest.fixture(scope="module")
def made(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    done = report(out, "--cmu", str(cmu_folder), *(f"--only={key}" for key in KEYS))
    assert done.exit_code == 0, done.output
    return out


def test_the_page_holds_everything_and_fetches_nothing(made: Path) -> None:
    text = (made / "report.html").read_text()
    links = Links()
    links.feed(text)
    assert links.sources
    assert all(source.startswith("data:") for source in links.sources)
    assert all(target.startswith("#") and target[1:] in links.ids for target in links.targets)
    assert "@import" not in text
    assert "url(" not in text
    for key in KEYS:
        exhibit = json.loads((made / key / "exhibit.json").read_text())
        assert exhibit["title"] in text
        assert len(exhibit["pictures"]) > 0
        for picture in exhibit["pictures"]:
            assert len(picture["caption"].split()) > 8  # says what it shows and how it was made
            assert (made / key / picture["file"]).is_file()
    assert text.count("<figcaption>") == len(links.sources)


def test_what_is_finished_is_not_done_again(made: Path, cmu_folder: Path) -> None:
    file = made / "clips" / "exhibit.json"
    marked = json.loads(file.read_text()) | {"verdict": "Read from the folder."}
    file.write_text(json.dumps(marked))
    done = report(made, "--cmu", str(cmu_folder), "--only=clips")
    assert done.exit_code == 0, done.output
    assert "Read from the folder." in (made / "report.html").read_text()


def test_a_folder_of_another_report_is_left_alone(made: Path, cmu_folder: Path) -> None:
    done = report(made, "--cmu", str(cmu_folder), "--only=clips", "--seed", "5")
    assert done.exit_code == 1
    assert re.search(r"holds a report made with .*\"seed\": 0", done.output.replace("\n", " "))


def test_an_experiment_that_fails_is_shown_and_does_not_keep_others_from_running(
    made: Path, cmu_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path / "out")
    (tmp_path / "cmu").mkdir()
    for part in ("train", "test"):  # but no takes
        (tmp_path / "cmu" / part).symlink_to(cmu_folder / part)
    done = report(tmp_path / "out", "--cmu", str(tmp_path / "cmu"), "--only=takes", "--only=clips")
    assert done.exit_code == 1
    text = (tmp_path / "out/report.html").read_text()
    assert "This experiment was not finished" in text
    assert "subject_86" in text
    assert json.loads((made / "clips/exhibit.json").read_text())["title"] in text


def test_an_unknown_experiment_is_named(tmp_path: Path) -> None:
    done = report(tmp_path / "out", "--only=dance")
    assert done.exit_code == 1
    assert "there is no dance" in done.output
    assert not (tmp_path / "out").exists()

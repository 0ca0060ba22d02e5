"""Where the name bank is kept: a place that cannot be written is refused when the server starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from kineseg_core.errors import BadBank
from kineseg_core.naming import NameBank
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer


def start(path: Path) -> None:
    with BackgroundServer(
        Settings(port=0, metrics_port=None, packaged_bundle=False, label_bank=path, log_level="error")
    ):
        pass


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(unwritable: Path) -> None:
    with pytest.raises(
        BadBank, match=rf"name bank .*names\.json: no file can be written in {unwritable} .*write there"
    ):
        start(unwritable / "names.json")


def test_so_is_one_that_a_link_leads_to(unwritable: Path, tmp_path: Path) -> None:
    (tmp_path / "names.json").symlink_to(unwritable / "names.json")
    with pytest.raises(BadBank, match=f"no file can be written in {unwritable}"):
        start(tmp_path / "names.json")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadBank, match=r"there is no folder .*missing to keep it in; make that"):
        start(tmp_path / "missing" / "names.json")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBank, match="cannot be read"):
        start(tmp_path)


def test_looking_leaves_nothing_behind_and_changes_nothing(tmp_path: Path) -> None:
    start(tmp_path / "names.json")
    assert list(tmp_path.iterdir()) == []
    NameBank().save(tmp_path / "names.json")
    before = (tmp_path / "names.json").stat()
    start(tmp_path / "names.json")
    assert [path.name for path in tmp_path.iterdir()] == ["names.json"]
    after = (tmp_path / "names.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

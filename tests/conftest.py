"""Small bundles and recordings for all tests: those of our own making, which are always there, and the real ones, where
they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.recordings.folder import write_bvh, write_cmu, write_series
from tests.recordings.labelled import write_exercises, write_gestures

# Commands that tests run here set it, and numba minds a change once its threads are there; ours run in one.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

_SHARED = Path(__file__).resolve().parents[2] / "shared"
# An example may take as long as it takes: a busy machine is no fault. Fixtures are made once for all examples. What a
# test sets of these itself replaces them.
settings.register_profile(
    "kineseg", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("kineseg")

POISON = 1000.0
"""The model "fragile" gives NaN for a frame whose first channel is above this."""

_BESIDE = {"real_data", "scoring_scripts"}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = TinyModel(name="fragile", poison_above=POISON)
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "fragile", model)


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Messages of this one are large enough to fill the transport."""
    model = TinyModel(name="wide", channels=200, embedding=200)
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "wide", model)


@pytest.fixture(scope="session")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the data; `cmu_folder`, `bvh_folder` and others fill their parts of it."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def cmu_folder(made_data: Path) -> Path:
    """Clips and takes of our own making in the layout of the CMU releases."""
    return write_cmu(made_data / "cmu_mocap")


@pytest.fixture(scope="session")
def recordings_folder(cmu_folder: Path) -> Path:
    """The same, with annotated recordings of other sets beside it."""
    write_exercises(cmu_folder.parent / "mocap6")
    write_gestures(cmu_folder.parent / "gesturephase")
    return cmu_folder


@pytest.fixture(scope="session")
def bvh_folder(made_data: Path) -> Path:
    """BVH clips of our own making, of another body than the CMU clips."""
    return write_bvh(made_data / "bvh" / "bandai_namco_1")


@pytest.fixture(scope="session")
def series_folder(made_data: Path) -> Path:
    """Series of one sensor of our own making."""
    return write_series(made_data / "tssb")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings, or the test is skipped."""
    folder = Path(os.environ.get("KINESEG_DATA") or _SHARED / "data")
    if not folder.is_dir():
        pytest.skip(f"is about the real recordings, and they are not in {folder}; set KINESEG_DATA")
    return folder


@pytest.fixture(scope="session")
def scoring_scripts() -> Path:
    """The folder of the scoring scripts, or the test is skipped."""
    folder = Path(os.environ.get("KINESEG_EVAL") or _SHARED / "eval")
    if not (folder / "score.py").is_file():
        pytest.skip(f"needs the scoring scripts, and they are not in {folder}; set KINESEG_EVAL")
    return folder


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A folder in which no one who runs these tests can make a file."""
    if os.geteuid() != 0:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
        return folder
    if not sys.platform.startswith("linux"):
        pytest.skip("root may write everywhere here")
    return Path("/proc")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs something that does not come with the checkout says so: `-m data` runs exactly these tests."""
    for item in items:
        needed = _BESIDE.intersection(getattr(item, "fixturenames", ()))
        if needed and not item.get_closest_marker("data"):
            raise pytest.UsageError(f"{item.nodeid} uses {', '.join(sorted(needed))}: mark it with pytest.mark.data")

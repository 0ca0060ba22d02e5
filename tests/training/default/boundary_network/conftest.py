"""A library of actions and some training streams, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from kineseg_training.default.boundary_network.streams.library import Library, load_library
from kineseg_training.default.boundary_network.streams.make import make_stream
from kineseg_training.default.boundary_network.streams.stream import TrainingStream


@pytest.fixture(scope="session")
def library(recordings_folder: Path) -> Library:
    return load_library(recordings_folder)


@pytest.fixture(scope="session")
def streams(library: Library) -> list[TrainingStream]:
    """The first of one seed; twenty in a row have all kinds."""
    return [make_stream(library, 3, number) for number in range(80)]

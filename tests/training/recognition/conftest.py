"""Clips to recognise: few of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kineseg_training.data.labelled import LabelledClips, cmu_actions

FEW = ("jumping", "running", "soccer")


@pytest.fixture(scope="session")
def few(cmu_folder: Path) -> tuple[LabelledClips, LabelledClips]:
    """(training, test) clips of three CMU actions, five seconds of each at most."""
    return tuple(shortened(clips.only(FEW)) for clips in cmu_actions(cmu_folder))  # type: ignore[return-value]


def shortened(clips: LabelledClips) -> LabelledClips:
    """The first 150 frames of each clip."""
    return replace(clips, clips=tuple(replace(clip, frames=clip.frames[:150]) for clip in clips.clips))

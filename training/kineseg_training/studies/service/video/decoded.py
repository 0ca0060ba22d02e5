"""A take as the offline baseline segments it, with its decoder states for an embedding."""

from __future__ import annotations

from pathlib import Path

from kineseg_training.errors import DataError
from kineseg_training.studies.service.video.frames import Scene, scene_of
from kineseg_training.studies.su_shlizerman_2019.takes.data import load_take
from kineseg_training.studies.su_shlizerman_2019.takes.segment import NO_ORACLE, ORACLE_SPLIT, load_segmented


def baseline_scene(run: Path, cmu: Path, *, oracle_split: bool = False, linkage: str = "single") -> Scene:
    """The scene of one result of `kineseg-train baseline take`.

    Args:
        run: Folder that it wrote.
        cmu: Folder of the CMU clips, with ``subject_86``.
        oracle_split: The result that used the true boundaries, or the one that did not.
        linkage: ``single`` or ``average``.

    Raises:
        DataError: There is no such result, or it is not of this take.
    """
    number, segmented = load_segmented(run)
    wanted = ORACLE_SPLIT if oracle_split else NO_ORACLE
    found = next((one for one in segmented if one.variant == wanted and one.linkage == linkage), None)
    if found is None:
        there = ", ".join(f"{one.variant.name} ({one.linkage})" for one in segmented)
        raise DataError(f"{run}: has no result '{wanted.name}' with {linkage} linkage; it has {there}")
    take = load_take(cmu, number)
    if len(found.labels) != take.recording.n_frames:
        raise DataError(
            f"{run}: was made of {len(found.labels)} frames of take {number}, which has {take.recording.n_frames}; "
            "make it again of the whole take"
        )
    told = "told the true boundaries and the number of actions" if oracle_split else "told the number of actions"
    return scene_of(
        take.recording,
        found.labels,
        found.states,
        found.frames,
        title=f"Subject 86, take {number}",
        remark=f"Su & Shlizerman, offline, {wanted.name}; {found.scores.mof:.0%} of frames right; {told}",
    )

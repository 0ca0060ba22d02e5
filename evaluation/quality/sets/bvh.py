"""Streams assembled from the BVH clips: a skeleton that the bundle was not trained on."""

from __future__ import annotations

from functools import cache

from kineseg.motion import Recording, read
from kineseg_training.data.assemble import Rules, assemble

from evaluation.quality.errors import QualityError
from evaluation.quality.places import data_folder
from evaluation.quality.stream import AnnotatedStream, from_truth

STYLES = ("normal", "tired", "happy")
RULES = Rules(least_clip=2.0)


def load(seeds: tuple[int, ...]) -> list[AnnotatedStream]:
    """One stream per seed and style."""
    return [
        from_truth("bvh", assemble(clips(style), seed, name=f"{style}-{seed}", rules=RULES).recording)
        for style in STYLES
        for seed in seeds
    ]


@cache
def clips(style: str) -> dict[str, list[Recording]]:
    """The clips of one style by content; a file is named ``<data set>_<content>_<style>_<take>.bvh``."""
    folder = data_folder("bvh", "bandai_namco_1")
    found: dict[str, list[Recording]] = {}
    for path in sorted(folder.glob(f"*_{style}_*.bvh")):
        found.setdefault(path.stem.split("_")[1], []).append(read(path))
    if not found:
        raise QualityError(f"{folder}: has no clips of the style {style!r}")
    return found

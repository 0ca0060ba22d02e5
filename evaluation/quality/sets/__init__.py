"""The sets of streams, by name; each has development seeds, and some have held-out seeds kept for the end.

Sets that share people, places or makers are a family: a model that has seen one of them knows the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from evaluation.quality.errors import QualityError
from evaluation.quality.sets import bvh, cmu_clips, generated, idle, recorded, takes, tssb
from evaluation.quality.stream import AnnotatedStream

Seeds = Literal["dev", "held-out"]
TEMPOS = (0.6, 0.8, 1.25, 1.6)
_ANNOTATED = "its recordings and their annotation are in the training streams"


@dataclass(frozen=True)
class StreamSet:
    """A set.

    Attributes:
        title: For people.
        family: The sets that it is left out together with.
        load: Makes its streams.
        seeds: Seed lists by purpose; empty where nothing is random, and then there is no held-out part.
        figure: The share that it is judged by: a set is ahead of a peer, or behind, in this one.
        saw: What training of the packaged bundle saw of its family; empty if nothing. Settings: see `looked_at`.
    """

    title: str
    family: str
    load: Callable[[tuple[int, ...]], list[AnnotatedStream]]
    seeds: Mapping[Seeds, tuple[int, ...]] = field(default_factory=dict)
    figure: str = "bf1"
    saw: str = ""


_SCRATCH = "scratch"

SETS: dict[str, StreamSet] = {
    "takes": StreamSet("six development takes of CMU subject 86", "takes", takes.at(), saw=_ANNOTATED),
    **{
        f"tempo-{tempo:g}": StreamSet(
            f"the takes at {tempo:g} of their tempo", "takes", takes.at(tempo), saw=_ANNOTATED
        )
        for tempo in TEMPOS
    },
    "mocap6": StreamSet("CMU exercise takes of another person", "takes", recorded.at("mocap6"), saw=_ANNOTATED),
    "bvh": StreamSet(
        "streams assembled from the BVH clips", "bvh", bvh.load,
        {"dev": tuple(range(4)), "held-out": tuple(range(100, 104))},
    ),
    "cmu-clips": StreamSet(
        "streams assembled from the single-action CMU clips", "cmu-clips", cmu_clips.load,
        {"dev": tuple(range(12)), "held-out": tuple(range(100, 112))},
        saw="the clips are in the training streams",
    ),
    "generated": StreamSet(
        "generated motion, 12 kinds of action", "generated", generated.load,
        {"dev": tuple(range(300, 320)), "held-out": tuple(range(900, 920))},
        saw="the generator's actions are in the training streams",
    ),
    "utkinect": StreamSet("everyday actions before a depth camera", "utkinect", recorded.at("utkinect")),
    "gesturephase": StreamSet(
        "rest and gesture of a sitting speaker, 15 channels", "inertial", recorded.at("gesturephase", _SCRATCH),
        saw=_ANNOTATED,
    ),
    "hapt": StreamSet(
        "postures and walking, a phone at the waist, 6 channels", "inertial", recorded.at("hapt", _SCRATCH)
    ),
    "actrectut": StreamSet(
        "arm gestures and walking, 15 or 24 inertial channels", "inertial", recorded.at("actrectut", _SCRATCH)
    ),
    "skab": StreamSet("a water rig with faults, 8 channels", "skab", recorded.at("skab", _SCRATCH)),
    "tssb": StreamSet("38 sensor series of TSSB", "tssb", tssb.load, figure="covering"),
    "idle": StreamSet("ten minutes each of nothing", "idle", idle.load, figure="covering"),
}  # fmt: skip
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(each.family for each in SETS.values()))


def load(name: str, seeds: Seeds = "dev", limit: int | None = None) -> list[AnnotatedStream]:
    """The streams of a set.

    Args:
        name: One of `SETS`.
        seeds: ``dev``, or ``held-out``: the same rules with seeds that no one has looked at.
        limit: At most so many streams, the first ones.

    Raises:
        QualityError: There is no such set, it has no held-out seeds, or its data is not there.
    """
    if name not in SETS:
        raise QualityError(f"no set {name!r}; there are: {', '.join(SETS)}")
    chosen = SETS[name]
    if seeds == "held-out" and not chosen.seeds:
        raise QualityError(f"set {name!r} has no held-out seeds: nothing in it is random")
    numbers = chosen.seeds[seeds] if chosen.seeds else ()
    return chosen.load(numbers[:limit])[:limit]  # every seed gives at least one stream

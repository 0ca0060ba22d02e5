"""The sets of streams, by name; each has development seeds, and some have held-out seeds kept for the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evaluation.quality.errors import QualityError
from evaluation.quality.sets import bvh, cmu_clips, generated, takes, tssb
from evaluation.quality.stream import AnnotatedStream

Seeds = Literal["dev", "held-out"]
TEMPOS = (0.6, 0.8, 1.25, 1.6)


@dataclass(frozen=True)
class StreamSet:
    """A set.

    Attributes:
        title: For people.
        seen: What was looked at on it while the service was made.
        load: Makes its streams.
        seeds: Seed lists by purpose; empty where nothing is random, and then there is no held-out part.
    """

    title: str
    seen: str
    load: Callable[[tuple[int, ...]], list[AnnotatedStream]]
    seeds: Mapping[Seeds, tuple[int, ...]]


_SETTINGS = "settings were looked at on it"

SETS: dict[str, StreamSet] = {
    "takes": StreamSet("six development takes of CMU subject 86", _SETTINGS, takes.at(), {}),
    **{
        f"tempo-{tempo:g}": StreamSet(
            f"the takes at {tempo:g} of their tempo", _SETTINGS, takes.at(tempo), {}
        )
        for tempo in TEMPOS
    },
    "bvh": StreamSet(
        "streams assembled from the BVH clips", "dev seeds: " + _SETTINGS, bvh.load,
        {"dev": tuple(range(4)), "held-out": tuple(range(100, 104))},
    ),
    "cmu-clips": StreamSet(
        "streams assembled from the single-action CMU clips",
        "dev seeds: " + _SETTINGS + "; the packaged bundle trained on the clips", cmu_clips.load,
        {"dev": tuple(range(12)), "held-out": tuple(range(100, 112))},
    ),
    "generated": StreamSet(
        "generated motion, 12 kinds of action", "dev seeds: " + _SETTINGS, generated.load,
        {"dev": tuple(range(300, 320)), "held-out": tuple(range(900, 920))},
    ),
    "tssb": StreamSet("38 sensor series of TSSB, model scratch", _SETTINGS, tssb.load, {}),
}  # fmt: skip


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

"""The sets of streams that alerts are measured on, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evaluation.alerts.sets import bodies, channels, endless
from evaluation.alerts.stream import AlertStream

Seeds = Literal["dev", "fresh"]
SEEDS: dict[Seeds, int] = {"dev": 1, "fresh": 86}
"""What all that is random follows from: places, joints, and whatever is generated. Settings are chosen on ``dev``."""


@dataclass(frozen=True)
class AlertSet:
    """A set.

    Attributes:
        title: For people.
        load: Makes its streams from a seed.
        places: At how many places of each stream faults are put in; 0: nowhere.
        false_alarms: The row of the table of false alarms that it counts in; empty: alarms in it may be right, or
            something was fitted on it.
        has_events: Whether real events are in it.
    """

    title: str
    load: Callable[[int], list[AlertStream]]
    places: int = 0
    false_alarms: str = ""
    has_events: bool = False


RECORDED, GENERATED, NOISE, MOTIONLESS = "recorded, never tuned on", "generated", "noise and walks", "motionless"

SETS: dict[str, AlertSet] = {
    "cmu": AlertSet("takes 07, 09 and 11 of CMU subject 86", bodies.cmu, 6, RECORDED),
    "mocap6": AlertSet("CMU exercise takes of another person", bodies.mocap6, 4, RECORDED),
    "bandai": AlertSet("streams assembled from BVH clips", bodies.bandai, 2),
    "generated": AlertSet("generated motion, 2 mm of noise", bodies.generated, 2),
    "utkinect": AlertSet("everyday actions before a depth camera", bodies.utkinect, 2, RECORDED),
    "hapt": AlertSet("a phone at the waist, 6 channels", lambda _: channels.worn("hapt"), 3, RECORDED),
    "actrectut": AlertSet(
        "15 or 24 inertial channels at an arm", lambda _: channels.worn("actrectut"), 4, RECORDED
    ),
    "gesturephase": AlertSet(
        "a sitting speaker, 15 channels", lambda _: channels.worn("gesturephase"), 4, RECORDED
    ),
    "long": AlertSet("generated motion, 25 minutes each", endless.long, 0, GENERATED),
    "motionless": AlertSet("ten motionless minutes, twice", endless.motionless, 0, MOTIONLESS),
    "autoregressive": AlertSet("autoregressive noise, 6 channels", endless.autoregressive, 0, NOISE),
    "walks": AlertSet("random walks, 6 channels", endless.walks, 0, NOISE),
    "falls": AlertSet(
        "falls among everyday movement, 6 channels", lambda _: channels.with_events("falls"), has_events=True
    ),
    "skab": AlertSet("faults of a water rig, 8 channels", lambda _: channels.with_events("skab"), has_events=True),
}  # fmt: skip

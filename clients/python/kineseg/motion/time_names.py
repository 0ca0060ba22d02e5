"""Recognises by name which column or key of a file holds the time, in which unit, and which only counts frames."""

from __future__ import annotations

import re
from dataclasses import dataclass


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Seconds in one unit.
_SECOND, _MILLI, _MICRO, _NANO = 1.0, 1e-3, 1e-6, 1e-9
_UNITS: dict[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), _SECOND),
    **dict.fromkeys(("ms", "msec", "msecs", "milli", "millis", "millisec", "millisecond", "milliseconds"), _MILLI),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "micro", "micros", "microsec"), _MICRO),
    **dict.fromkeys(("microsecond", "microseconds"), _MICRO),
    **dict.fromkeys(("ns", "nsec", "nsecs", "nano", "nanos", "nanosec", "nanosecond", "nanoseconds"), _NANO),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
}
# Units that say by themselves that a column is a time ("seconds"), where "s" or "min" alone may be anything.
_TELLING_UNITS = frozenset(unit for unit in _UNITS if len(unit) > 3) | {"secs", "sec", "msec", "usec", "nsec"}
_CORE = _set("time times timestamp timestamps timestep stamp t ts epoch elapsed unixtime datetime date clock tijd zeit")
_QUALIFIERS = _set(
    "unix utc gmt local system sys host device sensor capture captured record recorded recording frame sample video "
    "lsl ros since start in of from the arrival event real world wall server client packet camera gps relative rel "
    "absolute abs total mocap motion data session trial seq header at taken"
)
_FRAMES = _set("frame frames frameno framenum framenumber frameid frameindex frameidx fnum subframe")
_COUNTS = _set(
    "sample samples sampleno samplenum samplenumber sampleindex index idx row rowid item counter packetcounter "
    "packet seq sequence no nr num number id i n step count level"
)
_COUNT_QUALIFIERS = _set("sub no nr num number id index idx count counter nb of the mocap video capture")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_IN_BRACKETS = re.compile(r"[\[(<{]\s*([^\])>}]*?)\s*[\])>}]")


@dataclass(frozen=True)
class TimeName:
    """A name that means time.

    Attributes:
        unit_s: Seconds in one of its units; None where the name does not say.
    """

    unit_s: float | None


def time_name(name: str) -> TimeName | None:
    """What a name says about time: ``Time (s)``, ``timestamp_ms``, ``t``, ``elapsedSeconds`` ...; None: nothing."""
    unit = None
    in_brackets = _IN_BRACKETS.search(name)
    if in_brackets is not None:
        unit = _UNITS.get(in_brackets[1].lower().rstrip("."))
        name = _IN_BRACKETS.sub(" ", name)
    words = _split(name)
    if words and unit is None and words[-1] in _UNITS and (len(words) > 1 or words[0] in _TELLING_UNITS):
        unit = _UNITS[words[-1]]
        words, bare = words[:-1], words[-1]
        # "capture_ns" is a time whatever stands before it: nothing else is measured in nanoseconds.
        if unit == _NANO or (bare in _TELLING_UNITS and set(words) <= _CORE | _QUALIFIERS):
            return TimeName(unit)
    if words and set(words) & _CORE and set(words) <= _CORE | _QUALIFIERS:
        return TimeName(unit)
    return None


def unit_of(word: str) -> float | None:
    """Seconds in one of a unit of time, by its name; None for anything else."""
    return _UNITS.get(word.strip(" []()").lower())


def counts_frames(name: str) -> bool:
    """Whether a name means the number of a frame: ``Frame#``, ``frame_number``, ``Sub Frame`` ..."""
    words = _split(_IN_BRACKETS.sub(" ", name))
    return (bool(words) and "".join(words) in _FRAMES) or (
        len(words) > 1 and bool(set(words) & _FRAMES) and set(words) <= _FRAMES | _COUNT_QUALIFIERS
    )


def may_count(name: str) -> bool:
    """Whether a column of that name is a mere count if it counts: no name, ``index``, ``sample``, ``#``, ``id`` ..."""
    words = _split(name)
    if not words or counts_frames(name):
        return True
    return set(words) <= _COUNTS | _COUNT_QUALIFIERS or words == ["unnamed", "0"]


def _split(name: str) -> list[str]:
    words = [word.lower() for word in _WORDS.findall(name)]
    # "timestamp" in two words, as in "time stamp" or "TimeStamp".
    return " ".join(words).replace("time stamp", "timestamp").split()

"""How well taught examples name segments: ``python -m evaluation.quality.naming``. Prints the table of docs/naming.md.

Every stream is named by what is taught from others, in three ways: from one other stream, from two others, and from all
others. In a fourth, each action in turn is not taught though the others are, and must stay unknown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from kineseg_core.naming import NamingSettings

from evaluation.quality import sets
from evaluation.quality.errors import QualityError
from evaluation.quality.naming.segments import NamedSeconds, StreamSegments, name_segments
from evaluation.quality.service import running, segment

_RADII = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.8)
_RATIOS = (0.5, 0.7, 0.85, 1.0)
_SETS = tuple(name for name in sets.SETS if name != "tssb")  # no one named what is in it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.naming", description=__doc__)
    parser.add_argument("--set", choices=_SETS, default="takes", help="streams that give examples and are named")
    parser.add_argument("--streams", type=int, default=1000, help="at most so many")
    parser.add_argument("--most", type=int, default=64, help="examples of each name, at most")
    parser.add_argument("--bundle", type=Path, help="default: the one that comes with the service")
    parser.add_argument("--sweep", action="store_true", help="other radii and ratios too")
    options = parser.parse_args(arguments)
    try:
        print(_run(options))
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    streams = sets.load(options.set, limit=options.streams)
    if len(streams) < 2:
        raise QualityError("one stream must give examples for another: at least two are needed")
    with running(options.bundle) as service:
        results = segment(service, streams).results
    segments = [StreamSegments.of(stream, result) for stream, result in zip(streams, results, strict=True)]
    defaults = NamingSettings()
    chosen = [defaults]
    if options.sweep:
        chosen += [replace(defaults, radius=radius) for radius in _RADII if radius != defaults.radius]
        chosen += [replace(defaults, ratio=ratio) for ratio in _RATIOS if ratio != defaults.ratio]
    lines = [
        f"{len(segments)} streams of {options.set!r}, percent of time",
        "",
        "| radius | ratio | taught from | named right, of what is named | named right, of what was taught | "
        "left unknown, of what was not taught |",
        "|---|---|---|---|---|---|",
    ]
    for settings in chosen:
        lines += [
            f"| {settings.radius:g} | {settings.ratio:g} | {way} | {seconds.precision:.1f} | {seconds.recall:.1f} | "
            f"{seconds.unknown:.1f} |"
            for way, seconds in _ways(segments, settings, options.most)
        ]
    return "\n".join(lines)


def _ways(streams: Sequence[StreamSegments], settings: NamingSettings, most: int) -> Iterator[tuple[str, NamedSeconds]]:
    others = {named.name: [one for one in streams if one is not named] for named in streams}
    for number in sorted({1, min(2, len(streams) - 1), len(streams) - 1}):
        seconds = NamedSeconds()
        for named in streams:
            for examples_of in combinations(others[named.name], number):
                seconds += name_segments(examples_of, named, settings, most=most)
        yield (f"{number} other{'s' if number > 1 else ''}", seconds)
    seconds = NamedSeconds()
    for named in streams:
        for action in sorted(named.actions):
            seconds += name_segments(others[named.name], named, settings, most=most, withheld=frozenset({action}))
    yield ("all others, but one action", seconds)


if __name__ == "__main__":
    sys.exit(main())

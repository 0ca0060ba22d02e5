"""What comes of a take on its way through every protocol: ``python -m evaluation.capture``

The twin of each protocol plays a generated take, as `kineseg play` does, and a source hears it: once as it is, and once
with 1 % of the frames lost and up to 20 ms of jitter; on loopback, or, where the sender has no clock and a busy machine
would be what is measured, with arrivals as they are planned. Printed is how far the final segments are those of
the file: the share of its boundaries that have a partner within 0.5 s, how far the furthest of these is off, F1, which
counts additional boundaries, too, and the adjusted Rand index of the labels over time.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from evaluation.threads import one_thread_each

LOSS, JITTER_S = 0.01, 0.02
_AT_ONCE = 3  # protocols: all at once would make arrivals late by themselves


def main() -> None:
    """Print the table."""
    one_thread_each()
    from evaluation.capture.feeds import NAMES
    from evaluation.capture.planned import ENDS

    every = (*ENDS, *NAMES)
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.capture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=every, metavar="PROTOCOL", help=f"of: {', '.join(every)}")
    parser.add_argument("--segments", type=int, default=8, help="of the take")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    asyncio.run(_measure(tuple(options.only or every), options.segments, options.seed))


async def _measure(names: tuple[str, ...], segments: int, seed: int) -> None:
    from kineseg.motion import generate
    from kineseg.sources.file import recorded_of
    from kineseg.sources.twins import Faults

    from evaluation.capture.feeds import feeds
    from evaluation.capture.loopback import heard
    from evaluation.capture.planned import ENDS, planned
    from evaluation.capture.segments import OfTheFile
    from evaluation.capture.table import header, row

    take = recorded_of(generate(seed, rate=60.0, n_segments=segments, min_segment_s=3.0))
    ways = {"as it is": Faults(), "lossy": Faults(loss=LOSS, jitter_s=JITTER_S, seed=seed)}
    of_the_file = OfTheFile(take)
    whole = of_the_file.begun_at(0)
    print(
        f"{len(take.values)} frames, {whole.duration_s:.0f} s, {len(whole.boundaries)} boundaries in the file; lossy: "
        f"{LOSS:.0%} of the frames lost, {1000 * JITTER_S:.0f} ms of jitter\n\n{header()}"
    )
    for name in filter(ENDS.__contains__, names):
        plain, lossy = (planned(name, take, faults) for faults in ways.values())
        print(row(name, take, of_the_file, plain, lossy), flush=True)
    names = tuple(name for name in names if name not in ENDS)
    for first in range(0, len(names), _AT_ONCE):
        batch = names[first : first + _AT_ONCE]
        with ExitStack() as stack:
            playing = []
            missing: Mapping[str, str] = {}
            for mark, faults in ways.items():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                found, missing = feeds(batch, mark, folder, stack)
                playing += [((feed.name, mark), heard(feed, take, faults)) for feed in found]
            results = await asyncio.gather(*(each for _, each in playing))
        came = {key: result for (key, _), result in zip(playing, results, strict=True)}
        for name in batch:
            if name in missing:
                print(f"| {name} | not run: {missing[name]} |")
            else:
                plain, lossy = (came[name, mark] for mark in ways)
                print(row(name, take, of_the_file, plain, lossy), flush=True)


if __name__ == "__main__":
    main()

"""What the method sees and decides, drawn for a stretch of one generated stream.

    python -m evaluation.quality.evidence --into docs/method

Writes ``distances.png`` (how far apart moments lie, and what the network is given of that at one boundary) and
``decisions.png`` (how likely a boundary is as time goes on, and what is decided).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kineseg_core.boundary_network import packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle

from evaluation.quality.errors import QualityError
from evaluation.quality.evidence_pictures import Stretch, save_decisions, save_distances
from evaluation.quality.evidence_record import Record, record
from evaluation.quality.sets import generated
from evaluation.threads import one_thread_each

SEED = 307  # of the set `generated`, development seeds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.evidence", description=__doc__)
    parser.add_argument("--into", type=Path, required=True, help="folder to write the pictures into")
    parser.add_argument("--seed", type=int, default=SEED, help="of the generated stream")
    parser.add_argument("--start", type=float, default=18.0, help="where the stretch begins, seconds")
    parser.add_argument("--seconds", type=float, default=44.0, help="how long it is")
    parser.add_argument(
        "--near", type=float, default=31.4, help="the true boundary nearest to this is looked at closely"
    )
    options = parser.parse_args(arguments)
    one_thread_each()
    try:
        found = of_seed(options.seed)
        stretch = Stretch.of(found, options.start, options.seconds, options.near)
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.into.mkdir(parents=True, exist_ok=True)
    save_distances(found, stretch, options.into / "distances.png")
    save_decisions(found, packaged_network().operating_point, stretch, options.into / "decisions.png")
    return 0


def of_seed(seed: int) -> Record:
    """What the packaged model and network make of one stream of the set `generated`.

    Raises:
        QualityError: There is no packaged bundle.
    """
    path = packaged_bundle()
    if path is None:
        raise QualityError("the service has no packaged bundle; make train-default writes it")
    (stream,) = generated.load((seed,))
    return record(stream, load_bundle(path), packaged_network())


if __name__ == "__main__":
    sys.exit(main())

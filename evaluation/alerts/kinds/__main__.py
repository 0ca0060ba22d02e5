"""Show what each kind of anomaly is, in a stream in which exactly that goes wrong.

    python -m evaluation.alerts.kinds frozen
    python -m evaluation.alerts.kinds --into docs

Prints what is emitted; exit code 1 if that is not called by the kind's name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.alerts.kinds import picture
from evaluation.alerts.kinds.counts import count
from evaluation.alerts.kinds.examples import EXAMPLES
from evaluation.alerts.kinds.page import PAGE, PICTURES, page
from evaluation.alerts.kinds.show import Shown, show
from evaluation.alerts.kinds.wording import lines
from evaluation.threads import one_thread_each

SEED = 3
"""All that is random in the streams of the page follows from it."""
_COUNTED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code: 1 if a kind was not raised as such."""
    names = [kind.value for kind in EXAMPLES]
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.alerts.kinds", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"default: all of {', '.join(names)}")
    parser.add_argument("--seed", type=int, default=SEED, help="of the stream and of what is wrong in it (%(default)s)")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help=f"for pictures, and for {PAGE} if all kinds are run"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.kinds if name not in names]:
        parser.error(f"KIND: there is no example of {unknown[0]!r}; there are {', '.join(names)}")
    if options.seed < 0:
        parser.error(f"--seed: is {options.seed}; expected 0 or more")
    one_thread_each()
    kinds = [kind for kind in EXAMPLES if not options.kinds or kind.value in options.kinds]
    found = [_printed(show(kind, options.seed)) for kind in kinds]
    if options.into is not None:
        _write(options.into, found)
    missed = [each.kind.value for each in found if each.cleared is None]
    if missed:
        print(f"error: not raised by its name: {', '.join(missed)} (seed {options.seed})", file=sys.stderr)
    return 1 if missed else 0


def _printed(shown: Shown) -> Shown:
    faulty = shown.faulty
    print(f"{shown.kind.value}: {EXAMPLES[shown.kind].put_in}, {faulty.start_s:.2f} to {faulty.stop_s:.2f} s")
    print("\n".join(f"  {line}" for line in lines(shown)) or "  nothing is raised")
    return shown


def _write(folder: Path, found: Sequence[Shown]) -> None:
    """The pictures of those that were found, and the page if that is all kinds."""
    right = [each for each in found if each.cleared is not None]
    for each in right:
        picture.save(each, folder / PICTURES / f"{each.kind.value}.png")
    if len(right) == len(EXAMPLES):
        counts = [count(each.kind, range(_COUNTED)) for each in right]
        (folder / PAGE).write_text(page(right, counts), encoding="utf-8")
        print(f"written: {folder / PAGE}")


if __name__ == "__main__":
    sys.exit(main())

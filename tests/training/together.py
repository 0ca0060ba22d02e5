"""Every model that the commands train, trained a little: by this process, or as a script by all of `torchrun`."""

from __future__ import annotations

import sys
from pathlib import Path

from kineseg_training.commands import app
from kineseg_training.loop import LoopSettings, train
from kineseg_training.loop.processes import joined

from tests.training.loop.line import Line

COMMANDS = {
    "predictor": "fit {out} --data={recordings} --hidden=8 --source=12 --target=6 --shortest-source=4 --batch=8 "
    "--steps=3 --epochs=2",
    "composite": "composite train {out} --data=shapes --preset=tiny --patch=16 --variant=composite --conditional",
    "recognition": "recognition train {out} --cmu={cmu} --preset=tiny --actions=jumping,running --iterations=2",
    "tied": "baseline train {out} --cmu={cmu} --preset=tiny --iterations=4",
}


def train_each(out: Path, recordings: Path, cmu: Path) -> None:
    """A run of each in a folder of `out` by its name, and of the line in "line"."""
    train(Line(), LoopSettings(10, 5), out / "line", progress=False)
    for name, command in COMMANDS.items():
        words = command.format(out=out / name, recordings=recordings, cmu=cmu).split()
        app([*words, "--quiet"], standalone_mode=False)


if __name__ == "__main__":
    with joined():  # once, and not for each run: a group that was left cannot be joined again
        train_each(*map(Path, sys.argv[1:]))

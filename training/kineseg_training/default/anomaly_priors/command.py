"""The command `kineseg-train anomaly-priors`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import kineseg_core.anomalies
import typer
from kineseg_core.anomalies.score.priors import FILE, GROUPS

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.files import write_atomically
from kineseg_training.options import CmuFolder, Quiet, beside, cmu_folder, reporting

SHIPPED = Path(kineseg_core.anomalies.__file__).parent / FILE
_FROM = (
    "CMU Graphics Lab Motion Capture Database (takes 01, 03 and 05 of subject 86; clips), generated motion with noise, "
    "invented sensors and processes, and UCI Gesture Phase Segmentation (Madeo, Lima and Peres 2013, CC BY 4.0)"
)


def anomaly_priors(
    out: Annotated[Path, typer.Argument(help="File to write.", show_default="the one that is shipped")] = SHIPPED,
    cmu: CmuFolder = None,
    gestures: Annotated[
        Path | None, typer.Option(help="Folder of the gesture phase set.", show_default="beside the checkout, if there")
    ] = None,
    made: Annotated[int, typer.Option(min=1, help="Streams to make of each kind.")] = 12,
    quiet: Quiet = False,
) -> None:
    """Fit what the anomaly monitor knows of streams before it has seen one, and write it."""
    from tqdm import tqdm

    from kineseg_training.default.anomaly_priors.fit import fit, maxima_of
    from kineseg_training.default.anomaly_priors.streams import faultless_streams

    with reporting():
        if not out.parent.is_dir():
            raise SettingsError(f"out: there is no folder {out.parent}; make it, or name another file")
        streams = faultless_streams(cmu_folder(cmu), gestures or beside("gesturephase"), made)
        found = [
            maxima
            for stream in tqdm(streams, desc="streams", disable=None if not quiet else True)
            if (maxima := maxima_of(stream)) is not None
        ]
        tails = fit(found)
        missing = sorted(set(GROUPS) - set(tails))
        if missing:
            raise DataError(f"no stream belongs to {', '.join(missing)}; make more of each kind with --made")
        seconds = Counter[str]()
        for maxima in found:
            seconds[maxima.group] += len(maxima.maxima[0])
        minutes = {group: round(seconds[group] / 60.0, 1) for group in GROUPS}
        content = {"from": _FROM, "minutes": minutes, "tails": tails}
        write_atomically(out, (json.dumps(content, indent=1) + "\n").encode())
        typer.echo(f"wrote {out}: " + ", ".join(f"{group} {minutes[group]} min" for group in GROUPS))

"""The report as one HTML file: everything is in it, nothing is fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment

from kineseg_training.errors import SettingsError
from kineseg_training.report.contents import PARTS, Part
from kineseg_training.report.run import Outcome, pictures_of
from kineseg_training.studies.exhibit import Place, shown

_TYPES = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4"}
_PRESETS = {
    "tiny": "tiny, which only shows that everything runs: its numbers mean nothing",
    "small": "small, made for two CPU cores",
    "full": "full, with the papers' sizes",
}


def page(outcomes: Sequence[Outcome], place: Place, machine: str) -> str:
    """HTML of a report.

    Args:
        outcomes: Of the experiments, in order.
        place: Where they were made.
        machine: On what, in words.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = shown
    template = environment.from_string(files("kineseg_training.report").joinpath("page.html.j2").read_text())
    parts: list[tuple[Part, list[Outcome]]] = [
        (part, [outcome for outcome in outcomes if outcome.entry.part == part.letter]) for part in PARTS
    ]
    return template.render(
        parts=[(part, members) for part, members in parts if members],
        verdicts=[outcome for outcome in outcomes if outcome.exhibit and outcome.exhibit.agreement != "not compared"],
        pictures={outcome.entry.key: _inlined(pictures_of(outcome, place)) for outcome in outcomes},
        preset=_PRESETS[place.preset],
        seed=place.seed,
        machine=machine,
        minutes=sum(outcome.seconds for outcome in outcomes) / 60.0,
        failed=[outcome for outcome in outcomes if outcome.exhibit is None],
    )


def _inlined(pictures: Mapping[str, Path]) -> dict[str, str]:
    """Data addresses."""
    found = {}
    for name, file in pictures.items():
        kind = _TYPES.get(file.suffix)
        if kind is None:
            raise SettingsError(f"pictures: {name} is neither of {', '.join(_TYPES)}")
        found[name] = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    return found

"""Settings that were chosen by looking at sets of this bench: ``looked_at.json``, which who chooses one adds to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.quality.errors import QualityError
from evaluation.quality.sets import SETS

LOOKED_AT = Path(__file__).with_name("looked_at.json")


@dataclass(frozen=True)
class Setting:
    """One setting of ours.

    Attributes:
        name: Of the setting.
        values: How many values were tried.
        chosen: The one that was kept, in words.
        sets: Names of the sets that were looked at.
    """

    name: str
    values: int
    chosen: str
    sets: tuple[str, ...]


def looked_at(path: Path = LOOKED_AT) -> tuple[Setting, ...]:
    """The settings that the file lists.

    Raises:
        QualityError: The file is not as it has to be; names the setting and the field.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QualityError(f'{path}: expected {{"settings": [...]}} ({error})') from error
    return tuple(_setting(path, number, row) for number, row in enumerate(rows))


def _setting(path: Path, number: int, row: object) -> Setting:
    where = f"{path}: setting {number}"
    if not isinstance(row, dict) or set(row) != {"name", "values", "chosen", "sets"}:
        raise QualityError(f"{where}: expected the fields name, values, chosen and sets")
    if not isinstance(row["values"], int) or row["values"] < 1:
        raise QualityError(f"{where}: values is {row['values']!r}; expected how many were tried, 1 or more")
    if not isinstance(row["sets"], list) or not row["sets"]:
        raise QualityError(f"{where}: sets is {row['sets']!r}; expected names of sets, one or more")
    if unknown := [name for name in row["sets"] if name not in SETS]:
        raise QualityError(f"{where}: sets has {unknown[0]!r}; there are: {', '.join(SETS)}")
    return Setting(str(row["name"]), row["values"], str(row["chosen"]), tuple(row["sets"]))


def total(settings: Sequence[Setting]) -> int:
    """How many values were tried, of all settings."""
    return sum(setting.values for setting in settings)


def tried_on(family: str, settings: Sequence[Setting]) -> int:
    """How many values were tried with a set of `family` in sight."""
    return total([each for each in settings if any(SETS[name].family == family for name in each.sets)])

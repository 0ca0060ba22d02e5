"""A rules file of a command: checked before the stream, and compared with the names that segments can get."""

from __future__ import annotations

from pathlib import Path

from kineseg import Client, Model
from kineseg_core.rules import load_rules


def check_rules(path: Path | None) -> None:
    """Raises BadRules, which names file, entry and remedy, if a rules file cannot be used."""
    if path is not None:
        load_rules(path)


def unknown_names(path: Path | None, client: Client, model: Model) -> list[str]:
    """What to say of rules about names that no segment of the model can get as things are."""
    if path is None:
        return []
    known = {*model.classes, *(taught.name for taught in client.names(model.name) if taught.in_use)}
    strange = sorted({rule.name for rule in load_rules(path)} - known)
    if not strange:
        return []
    names = ", ".join(sorted(known)) or "none: teach them with `kineseg label teach`"
    return [f"{path}: no segment can be called {', '.join(strange)} yet; names are {names}"]

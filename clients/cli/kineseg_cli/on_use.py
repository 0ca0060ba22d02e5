"""Commands that are imported when they are called or listed, so that none waits for what only others need."""

from __future__ import annotations

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from kineseg_core.garbage import collected_seldom
from typer.core import TyperGroup

_NAMES = (
    *("serve", "stream", "relay", "play", "segment", "batch", "tune", "demo"),
    *("joints", "models", "health", "kernels", "version", "label", "token"),
)
"""Each is in the module of its name; in the order of `--help`."""


class Commands(TyperGroup):
    """All of them, under `kineseg`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _OnUse(dict.fromkeys(_NAMES))


class _OnUse(UserDict[str, Any]):
    """What Typer makes of each, by name."""

    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            self.data[name] = _command(name)
        return self.data[name]


def _command(name: str) -> Any:
    with collected_seldom():
        found = getattr(import_module(f"kineseg_cli.commands.{name}"), name)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command()(found)
    return typer.main.get_command(alone)

"""The settings of a server that a command starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kineseg_cli.failures import CommandError

if TYPE_CHECKING:
    from kineseg_service.config import Settings


def server_settings(chosen: Mapping[str, object]) -> Settings:
    """What was chosen, and for the rest the environment, a file and the defaults. Needs `kineseg[service]`.

    Raises:
        CommandError: A setting cannot be used; names it.
    """
    from kineseg_service.config import Settings
    from pydantic import ValidationError

    try:
        return Settings.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = "there is no such setting"
        raise CommandError(f"setting {place}: {message}" if place else message) from error

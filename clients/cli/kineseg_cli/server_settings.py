"""The settings of a server that a command starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kineseg_cli.failures import CommandError

if TYPE_CHECKING:
    from kineseg_service.config import Settings

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "the name of a file",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
}
"""By what the type of an error begins with."""
_MOST_SHOWN = 60


def server_settings(chosen: Mapping[str, object]) -> Settings:
    """What was chosen, and for the rest the environment, a file and the defaults. Needs `kineseg[service]`.

    Raises:
        CommandError: Settings cannot be used; names each, and says what it may be.
    """
    from kineseg_service.config import Settings
    from pydantic import ValidationError

    try:
        return Settings.model_validate(chosen)
    except ValidationError as error:
        raise CommandError("; ".join(_said(dict(each)) for each in error.errors())) from error


def _said(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"setting {place}: {_what(error)}" if place else _what(error)


def _what(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":  # ours, which says all
        return str(error["msg"].removeprefix("Value error, "))
    if kind == "extra_forbidden":
        return "there is no such setting"
    if "ge" in context:
        must = f"at least {context['ge']}"
    elif "le" in context:
        must = f"at most {context['le']}"
    elif "expected" in context:
        must = context["expected"]
    elif "pattern" in context:
        must = f"of the form {context['pattern']}"
    elif (begins := kind.partition("_")[0]) in _KINDS:
        must = _KINDS[begins]
    else:
        return str(error["msg"])
    return f"must be {must}, got {str(error['input'])[:_MOST_SHOWN]!r}"

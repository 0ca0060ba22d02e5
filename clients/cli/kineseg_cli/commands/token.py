"""`kineseg token`: the tokens of a server's callers, made, listed and revoked in its file of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from kineseg_service.access.caller import DEFAULT_TENANT, Role
from kineseg_service.access.token_file import LONGEST_NOTE, TENANT, TENANT_FORM, Tokens, new_token
from rich import box
from rich.console import Console
from rich.table import Table

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import CommandError
from kineseg_cli.standard_output import print_line

_DEFAULT_FILE = Path("kineseg-tokens.json")
_DURATION = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

token = typer.Typer(
    name="token",
    help="Make, list and revoke the tokens of `kineseg serve --tokens FILE`; a running server takes them over.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
TokenFile = Annotated[
    Path, typer.Option("--file", help="The server's file of tokens; it holds only hashes of them.", show_default=True)
]


@token.command()
def new(
    role: Annotated[list[Role], typer.Option("--role", help="What it allows. May be repeated.")],
    tenant: Annotated[
        str, typer.Option("--tenant", help="On whose behalf it acts: no tenant sees anything of another.")
    ] = DEFAULT_TENANT,
    expires: Annotated[
        str | None,
        typer.Option("--expires", help="When it ends: so long from now, such as 12h or 90d. Default: never."),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="For people, such as where it is used.")] = "",
    file: TokenFile = _DEFAULT_FILE,
) -> None:
    """Make a token and print it, this once: keep it where its user reads it, for it cannot be found out again."""
    if not TENANT.fullmatch(tenant):
        raise CommandError(f"--tenant {tenant!r}: {TENANT_FORM}")
    if len(note) > LONGEST_NOTE:
        raise CommandError(f"--note: it has {len(note)} characters, {LONGEST_NOTE} are allowed")
    text, made = new_token(tenant, role, None if expires is None else _time(expires), note)
    tokens = Tokens.load(file) if file.exists() else Tokens()
    tokens.with_token(made).save(file)
    ends = "does not end" if made.expires is None else f"ends on {made.expires:%Y-%m-%d %H:%M} UTC"
    ErrorConsole().print_notes(
        str(file), [f"token {made.token_id} of {tenant}: {', '.join(sorted(made.roles))}; it {ends}"]
    )
    print(text)


@token.command("list")
def list_tokens(file: TokenFile = _DEFAULT_FILE) -> None:
    """List the tokens of a file: their ids, and what they allow."""
    table = Table("id", "tenant", "roles", "ends", "note", box=box.SIMPLE_HEAD)
    now = datetime.now(UTC)
    for each in Tokens.load(file):
        ends = "never" if each.expires is None else f"{each.expires:%Y-%m-%d %H:%M}"
        over = " (over)" if each.is_over(now) else ""
        table.add_row(each.token_id, each.tenant, ", ".join(sorted(each.roles)), ends + over, each.note)
    Console().print(table)


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, see `kineseg token list`.")],
    file: TokenFile = _DEFAULT_FILE,
) -> None:
    """Revoke a token: calls that are under way with it are ended within seconds."""
    tokens = Tokens.load(file)
    if tokens.get(token_id) is None:
        raise CommandError(f"{file} has no token {token_id[:64]!r}; `kineseg token list` shows them")
    tokens.without(token_id).save(file)
    print_line(f"{token_id}: revoked")


def _time(text: str) -> datetime:
    found = _DURATION.fullmatch(text)
    if found is None or not int(found[1]):
        raise CommandError(f"--expires {text!r}: it must be a number of hours, days or weeks, such as 12h, 90d or 52w")
    try:
        return (datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})).replace(microsecond=0)
    except OverflowError:
        raise CommandError(f"--expires {text!r}: that is too far away") from None

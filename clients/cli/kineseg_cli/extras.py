"""What a command needs beyond `kineseg[cli]`, and the error where that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kineseg_cli.failures import CommandError


@contextmanager
def needed(extras: str, what: str, *, otherwise: str = "") -> Iterator[None]:
    """Wraps imports: a module that is missing is reported with the extras that install it.

    Args:
        extras: Names of the extras, such as ``"service"`` or ``"service,plot"``.
        what: The command or option that needs them, for the message.
        otherwise: What can be done without them, if anything.

    Raises:
        CommandError: A module is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        if root.startswith("kineseg"):  # ours are always installed: a fault, not an extra
            raise
        remedy = f'pip install "kineseg[{extras}]"' + (f", or {otherwise}" if otherwise else "")
        raise CommandError(f"{what} needs more than the command ({root} is missing): {remedy}") from error

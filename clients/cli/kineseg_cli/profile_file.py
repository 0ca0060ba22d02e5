"""The file of a rig's profile: what its streams have taught, read before a stream and written after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kineseg import RequestError
from kineseg_core.errors import InvalidRequest
from kineseg_core.profile_json import profile_from_json, profile_to_json
from kineseg_core.whole_file import check_writable, write_whole

from kineseg_cli.failures import CommandError


def read_profile(path: Path) -> dict[str, Any] | None:
    """The profile in a file, which is then to be written; None: there is no such file yet.

    Raises:
        CommandError: It is no profile, or could not be written after the stream; says why and what to do.
    """
    if path.is_dir():
        raise CommandError(f"--profile {path}: that is a folder; name a file")
    if not path.parent.is_dir():
        raise CommandError(f"--profile {path}: there is no folder {path.parent}; make that, or name another file")
    try:
        check_writable(path)  # now, not when the stream is over
        profile = profile_from_json(path.read_text(encoding="utf-8")) if path.exists() else None
    except OSError as error:
        raise CommandError(
            f"--profile {path}: it cannot be read and written ({error.strerror or error}); name another file"
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--profile {path}: it is not text; name another file, or delete it") from error
    except InvalidRequest as error:
        raise CommandError(f"--profile {path}: {error}; name another file, or delete it") from error
    return profile


@contextmanager
def refusals_of(path: Path | None) -> Iterator[None]:
    """Within it, a refusal of the file's profile names the file.

    Raises:
        CommandError: It is of another rig, or none.
    """
    try:
        yield
    except RequestError as error:
        if path is None or error.field != "config.profile":
            raise
        raise CommandError(f"--profile {path}: {error.message} (the file is as it was)") from error


def write_profile(path: Path, profile: dict[str, Any]) -> None:
    """Writes a profile in place of the one that is there.

    Raises:
        OSError: It cannot be written; what was there is there still.
    """
    write_whole(path, profile_to_json(profile) + "\n")

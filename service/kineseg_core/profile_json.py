"""Profiles as JSON: what a stream has taught about its source, see `AnomalyMonitor.profile`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kineseg_core.errors import InvalidRequest

MOST_BYTES = 2 << 20
"""Of a profile; one of 512 joints has about half a MiB."""
_LONGEST_REASON = 300


def profile_from_json(text: str) -> dict[str, Any]:
    """The profile that was written as JSON; `AnomalyMonitor` looks whether it is one.

    Raises:
        InvalidRequest: It is too large, or no JSON object.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise no_profile(f"it is larger than {MOST_BYTES >> 20} MiB")
    try:
        profile = json.loads(text)
    except (ValueError, RecursionError) as error:  # syntax, endless numbers, depth
        raise no_profile(f"it is not JSON ({error})") from error
    if not isinstance(profile, dict):
        raise no_profile("it is no JSON object")
    return profile


def profile_to_json(profile: Mapping[str, Any]) -> str:
    """The profile as JSON, for `profile_from_json`."""
    return json.dumps(profile, allow_nan=False, separators=(",", ":"))


def no_profile(why: str) -> InvalidRequest:
    """What to raise of something that is no profile."""
    shown = why if len(why) <= _LONGEST_REASON else f"{why[:_LONGEST_REASON]}..."
    return InvalidRequest(
        f"profile: is not one that a stream has given: {shown}; leave it out, or save it anew", field="profile"
    )

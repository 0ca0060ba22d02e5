"""What may be asked for of a stream, what is wrong with the rest, and what holds where nothing is said."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from kineseg_core.anomalies.budget import LEAST_PER_HOUR, MOST_PER_HOUR
from kineseg_core.errors import InvalidRequest, OutOfRange, UnknownModel
from kineseg_core.generic import SCRATCH
from kineseg_core.request import StreamRequest
from kineseg_core.rules import Rule, joined

_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RATES = (1.0, 1000.0)
_LATENCIES = (0.5, 10.0)
_THRESHOLDS = (0.01, 0.99)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a stream's request says nothing; 0: nothing does."""

    latency_s: float = 0.0
    boundary_threshold: float = 0.0
    alarms_per_hour: float = 0.0
    reports_per_hour: float = 0.0
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Settling:
    """Checks what is asked for, and adds what is left open.

    Args:
        models: The names of all models, in order.
        trained: Of these, the ones that are trained.
        default_model: That of streams that name none.
        joints_only: Streams of channels are refused.
    """

    models: tuple[str, ...]
    trained: frozenset[str]
    default_model: str
    joints_only: bool

    def settled(self, wanted: StreamRequest, stream_id: str, default: Defaults) -> StreamRequest:
        """What is wanted, checked, and with what is the default where nothing is said.

        Raises:
            InvalidRequest: A field is out of range, or contradicts another.
            UnknownModel: There is no such model.
        """
        session_id = wanted.session_id or stream_id
        if not _SESSION_ID.fullmatch(session_id):
            raise InvalidRequest("session_id must be 1 to 64 letters, digits, '.', '_' or '-'", field="session_id")
        model = wanted.model or self.default_model
        if model not in self.models:
            known = ", ".join(self.models)
            raise UnknownModel(f"there is no model {model[:64]!r}; there are {known}", field="model")
        rate = _within(wanted.rate_hz, _RATES, "frame_rate_hz", "frames a second")
        latency = default.latency_s
        if wanted.latency_s != 0:
            latency = _within(wanted.latency_s, _LATENCIES, "latency_s", "seconds")
        threshold = default.boundary_threshold if model == self.default_model else 0.0
        if wanted.boundary_threshold != 0:
            threshold = _within(wanted.boundary_threshold, _THRESHOLDS, "boundary_threshold", "")
        alarms = default.alarms_per_hour
        if wanted.alarms_per_hour != 0:
            alarms = _within(wanted.alarms_per_hour, (LEAST_PER_HOUR, MOST_PER_HOUR), "alarms_per_hour", "")
        reports = default.reports_per_hour
        if wanted.reports_per_hour != 0:
            reports = _within(wanted.reports_per_hour, (LEAST_PER_HOUR, MOST_PER_HOUR), "reports_per_hour", "")
        if wanted.joints is not None and wanted.channels:
            raise InvalidRequest("a stream has channels or joints, not both: leave one out", field="joints")
        if wanted.joints is None and self.joints_only:
            raise InvalidRequest(
                "this server takes no streams of channels (KINESEG_JOINTS_ONLY): send joints, or to another server",
                field="joints",
            )
        if model not in self.trained:
            _refuse_rules(wanted)
        return replace(
            wanted,
            rate_hz=rate,
            session_id=session_id,
            model=model,
            latency_s=latency,
            boundary_threshold=threshold,
            alarms_per_hour=alarms,
            reports_per_hour=reports,
            rules=joined(default.rules, wanted.rules) if model in self.trained else (),
        )


def _refuse_rules(wanted: StreamRequest) -> None:
    """Segments of the built-in model have no names."""
    if wanted.rules:
        raise InvalidRequest(
            f"rules: they are about names, and model {SCRATCH!r} gives none: leave them out, or name a trained model",
            field="rules",
        )


def _within(value: float, limits: tuple[float, float], field: str, unit: str) -> float:
    low, high = limits
    if not (math.isfinite(value) and low <= value <= high):
        allowed = f"{low:g} to {high:g} {unit}".rstrip()
        raise OutOfRange(f"{field} is {value:g}, it must be {allowed}", field=field, minimum=low, maximum=high)
    return value

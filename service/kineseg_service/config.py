"""The server's settings: one frozen class; flags win over KINESEG_* variables, these over a TOML file."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kineseg_service.access.token_file import TENANT, TENANT_FORM
from kineseg_service.stores.opening import store_problem

_MANY = 1_000_000
_LONGEST_S = 1e6  # eleven days: no clock or timer takes much more


class LimitSettings(BaseModel):
    """How much a tenant, or an address, may have and do, in each process; none: as much as there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    streams: int | None = Field(None, ge=0, le=_MANY, description="Open streams.")
    watchers: int | None = Field(None, ge=0, le=_MANY, description="Open event watchers.")
    opens_per_s: float | None = Field(None, ge=0.001, le=_MANY, description="Streams opened a second.")
    frames_per_s: float | None = Field(None, ge=1, le=1e9, description="Frames a second, of all its streams together.")
    bytes_per_s: float | None = Field(
        None, ge=1, le=1e12, description="Bytes of frames a second, of all its streams together."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if isinstance(value, str) and value.lower() == "none" else value


class Settings(BaseSettings):
    """How a server runs.

    Every field can be given as an argument, as an environment variable (`KINESEG_PORT=0`) or in the TOML file that
    `config_file` names (`port = 0`). A variable holds several bundles as a PATH holds folders, and "none" for none.

    Raises:
        pydantic.ValidationError: A value is of the wrong kind or out of range; it names the field.
        ValueError: `config_file` does not exist or is not TOML.
    """

    model_config = SettingsConfigDict(env_prefix="KINESEG_", frozen=True, extra="forbid")

    config_file: Path | None = Field(None, description="TOML file with settings.")

    server_id: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="Name of the server, sent to every stream. Empty: a UUID."
    )
    host: str = Field("127.0.0.1", description="Address to listen on, for gRPC and for metrics.")
    port: int = Field(50051, ge=0, le=65535, description="gRPC port; 0 takes any free one.")
    metrics_port: int | None = Field(9464, ge=0, le=65535, description="Prometheus port; 0: any free one; none: off.")

    tls_cert: Path | None = Field(
        None, description="PEM file of the server's certificate, and those between it and the authority; none: no TLS."
    )
    tls_key: Path | None = Field(None, description="PEM file of that certificate's private key, without a password.")
    tls_client_ca: Path | None = Field(
        None, description="PEM file of the authority whose certificates clients must show; none: they need not."
    )
    tokens: Path | None = Field(
        None, description="File of tokens that callers must show, see `kineseg token`; none: no token is asked for."
    )
    insecure: bool = Field(
        False, description="Listen without TLS on an address that other machines can reach, because that is meant."
    )

    bundles: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Model bundles (folders or .zip) besides the packaged one."
    )
    packaged_bundle: bool = Field(True, description="Serve the bundle that comes with the package, if there is one.")
    scratch: bool = Field(True, description="Serve the built-in model, scratch, which takes any channels.")
    joints_only: bool = Field(
        False, description="Refuse streams of channels; what only they need is then not compiled at the first start."
    )
    default_model: str = Field("", description="Model of streams that name none. Empty: the first bundle given.")
    provider: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="Where models run; auto: CUDA where it is faster, else CPU."
    )
    intra_op_threads: int = Field(1, ge=1, le=256, description="Threads within one decoder step on the CPU.")

    label_bank: Path | None = Field(
        None, description="JSON file with taught names, made when the first is taught; none: nothing can be taught."
    )

    rules: Path | None = Field(
        None, description="TOML file of names, and absences of names, that are alerts in all streams; none: no rules."
    )

    processes: int = Field(
        1,
        ge=1,
        le=256,
        description='Processes that share the port, each with streams of its own; "auto": one for each core.',
    )
    max_sessions: int = Field(1024, ge=1, le=100_000, description="Largest number of open streams, in each process.")
    max_watchers: int = Field(256, ge=1, le=_MANY, description="Largest number of open event watchers.")
    max_opening: int = Field(
        256, ge=1, le=_MANY, description="Streams that may be open without having sent a configuration."
    )
    limits: LimitSettings = Field(LimitSettings(), description="How much each tenant may have and do.")
    peer_limits: LimitSettings = Field(LimitSettings(), description="The same for each address that calls.")
    tenants: dict[str, LimitSettings] = Field(
        {}, description='Limits of single tenants, which win over those of all; "none" lifts one.'
    )
    limit_patience_s: float = Field(
        5.0,
        ge=0,
        le=60,
        description="What is sent too fast waits for at most so long, seconds; what would wait longer is refused.",
    )
    max_batch: int = Field(128, ge=1, le=4096, description="Largest number of streams in one decoder step.")
    tick_s: float = Field(
        0.005,
        ge=0,
        le=0.1,
        description="What streams send gathers for so long at most, seconds, the longer the more streams send; "
        "0: for no time.",
    )
    queue_frames: int = Field(
        512, ge=1, le=_MANY, description="Frames of the model's rate, and other things, that may wait per stream."
    )
    queue_responses: int = Field(
        1024, ge=1, le=_MANY, description="Responses that may wait for a stream's slow reader."
    )
    event_log_s: float = Field(
        3600.0, ge=0, le=_LONGEST_S, description="How long events are kept for watchers that come back, seconds."
    )
    event_log_bytes: int = Field(
        256 << 20,
        ge=0,
        le=1 << 40,
        description="Largest size of a tenant's kept events, bytes; the oldest are given up before their time.",
    )

    store: str = Field(
        "memory",
        description="Where resumable streams are kept so that they outlive the server: memory (they do not), "
        "sqlite:PATH, or a redis:// URL.",
    )
    store_key: Path | None = Field(
        None,
        description="File of 32 random bytes or more with which servers that share a store encrypt what is kept there.",
    )
    store_interval_s: float = Field(
        5.0,
        ge=0.1,
        le=600,
        description="How often a stream is kept there, seconds; one of which little comes at least every 20.",
    )

    max_chunk_frames: int = Field(4096, ge=1, le=_MANY, description="Largest number of frames in one chunk.")
    window_frames: int = Field(
        4096,
        ge=1,
        le=_MANY,
        description="Frames of a session that may be under way, unacknowledged, in a call of many sessions.",
    )
    max_sessions_per_call: int = Field(
        1024, ge=1, le=_MANY, description="Largest number of open sessions in one such call."
    )
    max_message_bytes: int = Field(4 << 20, ge=1024, le=2**31 - 1, description="Largest request, bytes.")
    max_gap_s: float = Field(
        1.0, ge=0, le=60, description="Longest gap that is filled, seconds (2.5 frame periods where those are longer)."
    )
    default_latency_s: float = Field(4.0, ge=0.5, le=10, description="Latency budget of streams that ask for none.")
    default_boundary_threshold: float | None = Field(
        None,
        ge=0.01,
        le=0.99,
        description="How likely a boundary must be in the default model's streams that ask for none; none: its own.",
    )
    default_alarms_per_hour: float = Field(
        2.0, ge=0.01, le=1000, description="False alarms an hour that are allowed in streams that do not say."
    )
    default_reports_per_hour: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="Reports of behaviour an hour that may be about nothing in streams that do not say; 0: none come.",
    )
    idle_timeout_s: float = Field(
        300.0, ge=0.1, le=_LONGEST_S, description="A stream without any progress for so long is ended, seconds."
    )
    silent_s: float = Field(
        10.0,
        ge=0.1,
        le=_LONGEST_S,
        description="A stream without any progress for so long counts as silent in the metrics, seconds.",
    )
    opening_timeout_s: float = Field(
        30.0, ge=0.1, le=_LONGEST_S, description="A stream must send its configuration within so many seconds."
    )
    resume_s: float = Field(
        600.0,
        ge=0,
        le=_LONGEST_S,
        description="How long a resumable stream is kept whose call broke, seconds; 0: not at all.",
    )
    max_parked: int = Field(
        1024, ge=1, le=_MANY, description="Largest number of such streams; the first parked make room."
    )
    resume_bytes: int = Field(
        1 << 20,
        ge=1024,
        le=1 << 40,
        description="Largest size of what is kept of a resumable stream to be sent again, bytes.",
    )
    drain_grace_s: float = Field(
        10.0, ge=0, le=_LONGEST_S, description="How long open streams may take to end at shutdown, seconds."
    )

    traces: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="URL to which a span of each event goes by OTLP over HTTP, such as "
        "http://localhost:4318/v1/traces; empty: none does.",
    )
    traces_ratio: float = Field(1.0, ge=1e-6, le=1, description="Of so many events, in the mean.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "console"] = Field("console", description="Form of the log lines.")

    @field_validator("bundles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("processes", mode="before")
    @classmethod
    def _auto(cls, value: object) -> object:
        if isinstance(value, str):
            if value.lower() == "auto":
                return _cores()
            if not value.isdecimal():
                raise ValueError(f'it must be a number of processes, or "auto"; got {value!r}')
        return value

    @field_validator("tenants")
    @classmethod
    def _tenants(cls, tenants: dict[str, LimitSettings]) -> dict[str, LimitSettings]:
        for name in tenants:
            if not TENANT.fullmatch(name):
                raise ValueError(f"{name[:64]!r} is no tenant: {TENANT_FORM}")
        return tenants

    def limits_of(self, tenant: str) -> LimitSettings:
        """How much a tenant may have and do."""
        own = self.tenants.get(tenant)
        return self.limits if own is None else self.limits.model_copy(update=own.model_dump(exclude_unset=True))

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_cert" if self.tls_cert is None else "tls_key"
            raise ValueError(f"{missing} is missing: TLS needs both the certificate and its key")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca asks clients for certificates, which needs TLS: give tls_cert and tls_key")
        if self.tls_cert is None and not self.insecure and not _is_loopback(self.host):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines, and without TLS whatever passes can be read "
                "and changed on the way: give tls_cert and tls_key (docs/security.md), listen on 127.0.0.1, or say "
                "insecure (--insecure) where that is meant"
            )
        return self

    @model_validator(mode="after")
    def _stored(self) -> Self:
        if problem := store_problem(self.store, self.store_key):
            raise ValueError(f"store: {problem}")
        return self

    @field_validator("metrics_port", "default_boundary_threshold", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if isinstance(value, str) and value.lower() == "none" else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Puts the TOML file, if one is named, behind arguments and environment."""
        file = init_settings().get("config_file") or env_settings().get("config_file")
        if file is None:
            return init_settings, env_settings
        if not Path(file).is_file():
            raise ValueError(f"config_file: there is no file {file}")
        try:
            from_file = TomlConfigSettingsSource(settings_cls, toml_file=file)
        except ValueError as error:
            raise ValueError(f"config_file: {file} is not TOML: {error}") from error
        return init_settings, env_settings, from_file


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; of a name, only "localhost" is known to be so."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

"""What a server loads before it serves: models, the boundary network, taught names, rules."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.ahead import compile_ahead
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.inference.bundle import Bundle, load_bundles, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CUDA
from kineseg_core.intake.intake import IntakeLimits
from kineseg_core.opening import Opener
from kineseg_core.rules import load_rules
from kineseg_core.warm_up import Streams, warm_up

from kineseg_service.compiling import compilation_shown
from kineseg_service.config import Settings
from kineseg_service.logs import get_logger
from kineseg_service.names.keeper import Everywhere
from kineseg_service.names.tenants import TenantNames

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """All of it. Decoders are yet to be warmed up in the thread that will step them, all else has been.

    Attributes:
        decoders: By name of the model.
        network: What finds boundaries, for one engine.
        opener: What makes sessions.
        names: What has been taught.
    """

    decoders: dict[str, Decoder]
    network: BoundaryNetwork
    opener: Opener
    names: TenantNames


def load(settings: Settings, everywhere: Everywhere | None = None) -> Loaded:
    """Loads what the settings say; `everywhere` is where its names are used besides this process.

    Raises:
        BadBundle: A model does not verify.
        BadBank: The name bank cannot be used.
        BadRules: The rules file cannot be used.
        CannotStart: CUDA was asked for and does not work.
        ValueError: There is no model, or no such default model.
    """
    paths = list(settings.bundles)
    packaged = packaged_bundle()
    if settings.packaged_bundle and packaged is not None:
        paths.append(packaged)
    bundles: dict[str, Bundle] = load_bundles(paths)
    names = TenantNames(bundles, settings.label_bank, everywhere)
    opener = Opener(
        bundles,
        scratch=settings.scratch,
        joints_only=settings.joints_only,
        default_model=settings.default_model,
        default_latency_s=settings.default_latency_s,
        default_boundary_threshold=settings.default_boundary_threshold or 0.0,
        default_alarms_per_hour=settings.default_alarms_per_hour,
        default_reports_per_hour=settings.default_reports_per_hour,
        rules=() if settings.rules is None else load_rules(settings.rules),
        limits=IntakeLimits(settings.max_chunk_frames, settings.max_gap_s),
    )
    streams = Streams(channels=not settings.joints_only, scratch=settings.scratch)
    with compilation_shown(joints_only=not any(streams)) as said:
        compile_ahead(said, streams)
    decoders = {}
    for name, bundle in bundles.items():
        decoder = Decoder(
            bundle,
            settings.provider,
            slots=settings.max_sessions,
            max_batch=settings.max_batch,
            threads=settings.intra_op_threads,
        )
        log_ready(decoder)
        decoders[name] = decoder
    network = BoundaryNetwork(opener.network)
    warm_up(network, opener.network, streams)
    return Loaded(decoders, network, opener, names)


def log_ready(decoder: Decoder) -> None:
    """Says where a model runs, and why not on a device."""
    because = {} if decoder.provider == CUDA else {"because": decoder.reason}
    _log.info(
        "decoder ready",
        model=decoder.bundle.name, provider=decoder.provider, **because,
        slots=decoder.free_slots, max_batch=decoder.max_batch,
    )  # fmt: skip
    if decoder.uneven:
        # The same frames may then give other events in other company; a mean should be a matrix product.
        _log.warning("rows depend on their batch", model=decoder.bundle.name, outputs=decoder.uneven)

"""From a stream's configuration to a session."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kineseg.motion import CANONICAL_CHANNELS, Joints
from kineseg.motion.joint_mapping import find_joints

from kineseg_core.anomalies import AnomalyBudget, WatchedSource
from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import NetworkFile, ViewPlan, packaged_network
from kineseg_core.errors import BadBundle, BadSetting, InvalidRequest, WrongChannels
from kineseg_core.generic import MOST_CHANNELS, SCRATCH, scratch_plan, scratch_segmenter
from kineseg_core.generic.plan import FEW
from kineseg_core.inference.bundle import Bundle
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import placing_delay_s
from kineseg_core.intake.source_pose import SourcePose, any_source, canonical_source
from kineseg_core.intake.watch import SourceWatch, joints_source
from kineseg_core.naming import KnownNames, Namer, NamingSettings
from kineseg_core.request import StreamRequest as StreamRequest
from kineseg_core.rules import Rule
from kineseg_core.rules.watch import RuleWatch
from kineseg_core.segmenter import SegmenterPlan, SegmenterSettings
from kineseg_core.session import Session, SessionConfig
from kineseg_core.settling import Defaults, Settling
from kineseg_core.stream_ids import time_ordered_uuid

_LIMITS = IntakeLimits()


class Opener:
    """Makes sessions for models.

    Args:
        bundles: The models, by name; the first is the default unless another is named.
        scratch: The built-in model can be asked for as well.
        joints_only: Streams of channels are refused.
        default_model: Model of streams that name none; empty: the first.
        default_latency_s: Latency budget of streams that ask for none, seconds.
        default_boundary_threshold: That of the default model's streams that ask for none; 0: the model's own.
        default_alarms_per_hour: False alarms an hour that are allowed in streams that do not say.
        rules: Those of all streams whose segments may have names.
        default_reports_per_hour: Reports of behaviour an hour that may be about nothing in streams that do not say; 0:
            behaviour is not watched there.
        limits: Of what comes in.

    Raises:
        BadBundle: A bundle's calibration does not suit segmenter or naming, or it has the built-in model's name.
        ValueError: The default model is not there, or there is no model at all.
    """

    def __init__(
        self,
        bundles: Mapping[str, Bundle],
        *,
        scratch: bool = True,
        joints_only: bool = False,
        default_model: str = "",
        default_latency_s: float = 4.0,
        default_boundary_threshold: float = 0.0,
        default_alarms_per_hour: float = AnomalyBudget.alarms_per_hour,
        rules: tuple[Rule, ...] = (),
        default_reports_per_hour: float = 0.0,
        limits: IntakeLimits = _LIMITS,
    ) -> None:
        names = [*bundles, SCRATCH] if scratch else list(bundles)
        if not names:
            raise BadSetting("there is no model to serve: give at least one bundle (KINESEG_BUNDLES)")
        if scratch and SCRATCH in bundles:
            reason = (
                f"the name {SCRATCH!r} is the built-in model's; rename the bundle, or turn that off (KINESEG_SCRATCH)"
            )
            raise BadBundle(bundles[SCRATCH].path, "manifest.json", reason)
        self.default_model = default_model or names[0]
        if self.default_model not in names:
            raise BadSetting(f"default_model is {self.default_model!r}; the models are {', '.join(names)}")
        self._settling = Settling(
            tuple(sorted(names)), frozenset(bundles), default_model=self.default_model, joints_only=joints_only
        )
        self._bundles = bundles
        self._segmenters = {name: _segmenter_settings(bundle) for name, bundle in bundles.items()}
        self._naming = {
            name: _naming_settings(bundle, self._segmenters[name].median_squared_distance)
            for name, bundle in bundles.items()
        }
        self._defaults = Defaults(
            default_latency_s, default_boundary_threshold, default_alarms_per_hour, default_reports_per_hour, rules
        )
        self._limits = limits

    @property
    def network(self) -> NetworkFile:
        """What finds the boundaries of signals: that of the first bundle that has one, or the packaged."""
        found = (each.boundary_network for each in self._bundles.values())
        return next((each for each in found if each is not None), None) or packaged_network()

    def session(
        self, wanted: StreamRequest, taught: Callable[[str], KnownNames] = lambda model: KnownNames()
    ) -> Session:
        """A new session.

        Args:
            wanted: What it is to be.
            taught: Gives what has been taught for a model, to those whose session it is.

        Raises:
            InvalidRequest: A field is out of range, or the profile is of another source or none.
            UnknownModel: There is no such model.
            WrongChannels: The channels are not the model's, or cannot be made of the joints.
        """
        opened_unix_ns = time.time_ns()
        stream_id = str(time_ordered_uuid(opened_unix_ns))
        settled = self._settling.settled(wanted, stream_id, self._defaults)
        session = self._made(settled, stream_id, opened_unix_ns, self._limits, taught)
        if session.config.plan is not None and session.config.plan.few:
            _refuse_threshold(wanted)
        return session

    def again(
        self,
        settled: StreamRequest,
        stream_id: str,
        opened_unix_ns: int,
        max_gap_s: float,
        taught: Callable[[str], KnownNames] = lambda model: KnownNames(),
    ) -> Session:
        """A session as it was when it was opened, here or elsewhere, of a stream that is to go on.

        Args:
            settled: Its `Session.request`.
            stream_id, opened_unix_ns: Of its configuration.
            max_gap_s: Up to which gaps are filled there.
            taught: See `session`.

        Raises:
            CoreError: It could not be opened here now.
        """
        limits = replace(self._limits, max_gap_s=max_gap_s)
        return self._made(
            self._settling.settled(settled, stream_id, Defaults()), stream_id, opened_unix_ns, limits, taught
        )

    def bundle(self, model: str) -> Bundle | None:
        """The model of that name; none: it is the built-in one, or there is none."""
        return self._bundles.get(model)

    def _made(
        self,
        settled: StreamRequest,
        stream_id: str,
        opened_unix_ns: int,
        limits: IntakeLimits,
        taught: Callable[[str], KnownNames],
    ) -> Session:
        agreed = SessionConfig(
            stream_id=stream_id,
            session_id=settled.session_id,
            model=settled.model,
            frame_rate_hz=settled.rate_hz,
            latency_s=settled.latency_s,
            boundary_threshold=settled.boundary_threshold,
            alarms_per_hour=settled.alarms_per_hour,
            reports_per_hour=settled.reports_per_hour,
            frame_results=settled.frame_results,
            decisions=settled.decisions,
            opened_unix_ns=opened_unix_ns,
            joints=settled.joints,
            return_profile=settled.return_profile,
        )
        bundle = self._bundles.get(settled.model)
        if bundle is None:
            return self._scratch_session(agreed, settled, limits)
        return self._session(agreed, settled, limits, bundle, taught)

    def _session(
        self,
        agreed: SessionConfig,
        wanted: StreamRequest,
        limits: IntakeLimits,
        bundle: Bundle,
        taught: Callable[[str], KnownNames],
    ) -> Session:
        agreed = replace(agreed, model_rate_hz=bundle.frame_rate_hz, model_sha256=bundle.sha256)
        pose = None if wanted.joints is None else _pose_for(bundle, wanted.joints, agreed.frame_rate_hz)
        order = _order(wanted.channels if pose is None else pose.channels, bundle.channels)
        typical = list(bundle.manifest.normalization.mean)
        rate, model_rate = agreed.frame_rate_hz, agreed.model_rate_hz
        watch = _watch(agreed, wanted.channels or bundle.channels, wanted.profile)
        intake = Intake(bundle.channels, order, rate, model_rate, limits, typical, pose, watch)
        settings = self._segmenters[agreed.model]
        point = self.network.operating_point
        if agreed.boundary_threshold:
            point = point.at(agreed.boundary_threshold)
        agreed = replace(agreed, boundary_threshold=point.final)
        views = ViewPlan.of_model(len(bundle.channels), bundle.embedding_dim, model_rate)
        segmenter = SegmenterPlan(settings, views, point, agreed.latency_s, _delay_s(rate, model_rate))
        namer = Namer(
            self._naming[agreed.model],
            taught(agreed.model),
            bundle.classes,
            rate_hz=model_rate,
        )
        watches = RuleWatch(wanted.rules) if wanted.rules else None
        return Session(wanted, agreed, intake, segmenter, namer, watches, _behaviour(agreed, bundle.channels))

    def _scratch_session(self, agreed: SessionConfig, wanted: StreamRequest, limits: IntakeLimits) -> Session:
        rate = agreed.frame_rate_hz
        pose = None if wanted.joints is None else any_source(wanted.joints, rate, MOST_CHANNELS)
        channels = wanted.channels if pose is None else pose.channels
        plan = scratch_plan(channels, rate)
        watch = _watch(agreed, channels, wanted.profile)
        intake = Intake(channels, None, rate, plan.rate_hz, limits, pose=pose, watch=watch)
        point = self.network.operating_point
        if agreed.boundary_threshold and not plan.few:
            point = point.at(agreed.boundary_threshold)
        threshold = 0.0 if plan.few else point.final
        segmenter = scratch_segmenter(plan, point, agreed.latency_s, placing_delay_s(rate, plan.rate_hz))
        agreed = replace(agreed, boundary_threshold=threshold, model_rate_hz=plan.rate_hz, plan=plan)
        return Session(wanted, agreed, intake, segmenter, behaviour=_behaviour(agreed, channels))


def _watch(agreed: SessionConfig, channels: Sequence[str], profile: Mapping[str, Any] | None) -> SourceWatch:
    """What looks for anomalies: in the joints that are sent, or else in these channels."""
    rate = agreed.frame_rate_hz
    joints = agreed.joints
    source = WatchedSource.of_channels(channels, rate) if joints is None else joints_source(joints, rate)
    return SourceWatch(source, AnomalyBudget(agreed.alarms_per_hour), profile)


def _behaviour(agreed: SessionConfig, channels: Sequence[str]) -> BehaviourMonitor | None:
    """What watches what is done, if reports are wanted: the model's frames, of these channels."""
    if not agreed.reports_per_hour:
        return None
    joints = None
    if agreed.joints is not None:
        names = agreed.joints.names
        joints = {found: names[at] for found, at in find_joints(names, agreed.joints.mapping).items()}
    return BehaviourMonitor(agreed.reports_per_hour, channels, agreed.model_rate_hz, agreed.latency_s, joints)


def _delay_s(rate_hz: float, model_rate_hz: float) -> float:
    """How much of the latency budget passes with frames of a model, see `Segmenter`."""
    # A frame that is a mean is known at its end, which may be later than that of the block it begins.
    length = max(0.0, 1.0 / model_rate_hz - BLOCK_S) if rate_hz > model_rate_hz else 0.0
    return placing_delay_s(rate_hz, model_rate_hz) + length


def _segmenter_settings(bundle: Bundle) -> SegmenterSettings:
    calibration = bundle.manifest.calibration
    try:
        return SegmenterSettings.from_bundle(
            dict(calibration.segmenter),
            log_surprise_median=calibration.log_surprise_median,
            log_surprise_scale=calibration.log_surprise_scale,
        )
    except ValueError as error:
        raise BadBundle(bundle.path, "manifest.json", str(error)) from error


def _naming_settings(bundle: Bundle, median_squared_distance: float) -> NamingSettings:
    try:
        return NamingSettings.from_bundle(
            dict(bundle.manifest.calibration.naming), median_squared_distance=median_squared_distance
        )
    except ValueError as error:
        raise BadBundle(bundle.path, "manifest.json", str(error)) from error


def _refuse_threshold(wanted: StreamRequest) -> None:
    """Of few channels patterns are compared, whose score is no probability."""
    if wanted.boundary_threshold:
        raise InvalidRequest(
            f"boundary_threshold: where model {SCRATCH!r} gets 1 to {FEW} channels it has no probability of a "
            "boundary: leave it out",
            field="boundary_threshold",
        )


def _pose_for(bundle: Bundle, joints: Joints, rate_hz: float) -> SourcePose:
    """What makes the model's channels of a body's joints."""
    if set(bundle.channels) != set(CANONICAL_CHANNELS):
        wanted = ", ".join(name[:64] for name in bundle.channels[:5])
        more = " ..." if len(bundle.channels) > 5 else ""
        raise WrongChannels(
            f"model {bundle.name!r} is not one of canonical poses, which are what joints make: send its "
            f"{len(bundle.channels)} channels ({wanted}{more}), or name another model",
            field="joints",
        )
    return canonical_source(joints, rate_hz)


def _order(sent: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Where each of the wanted channels stands in what is sent; none when they stand in the wanted order."""
    if not sent or list(sent) == list(wanted):
        return None
    place = {name: index for index, name in enumerate(sent)}
    known = set(wanted)
    missing = [name for name in wanted if name not in place]
    strange = [name for name in sent if name not in known]
    if missing or strange or len(sent) != len(wanted):
        problems = [
            f"{what}: {', '.join(name[:64] for name in names[:5])}{' ...' if len(names) > 5 else ''}"
            for what, names in (
                ("missing", missing),
                ("not the model's", strange),
                ("named twice", sorted(name for name, times in Counter(sent).items() if times > 1)),
            )
            if names
        ]
        raise WrongChannels(
            f"the {len(sent)} channels must be the model's {len(wanted)}; {'; '.join(problems)}",
            field="channels",
        )
    return [place[name] for name in wanted]

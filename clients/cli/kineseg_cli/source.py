"""What a command streams: a recording in the form that the model takes, and the embedded synthetic motion."""

from __future__ import annotations

from dataclasses import replace

from kineseg import Model, ModelInput, WrongChannels
from kineseg.motion import MotionError, Recording, generate, inject

from kineseg_cli.failures import CommandError

_ACTIONS = ("walk", "run", "jump", "squat", "wave", "punch", "kick", "sit", "arm_circles", "jumping_jacks")
_SEGMENTS = 12
_DISTINCT = 8
_RATE = 120.0


def model_input(recording: Recording, model: Model) -> ModelInput:
    """The recording in the form that the model takes.

    Raises:
        CommandError: It has neither the model's channels nor the joints to make them from; names the options that help.
    """
    try:
        return ModelInput.of(recording, model)
    except WrongChannels as error:
        remedy = "--model scratch takes any channels, and --bundle serves another model"
        raise CommandError(f"{error}; {remedy}") from error
    except MotionError as error:
        raise CommandError(f"{recording.name}: {error}") from error


def embedded(seed: int) -> Recording:
    """Synthetic motion of about a minute: at least eight actions, some of them repeated, and three injected faults.

    The faults: left and right are swapped for a moment, a gap, which the server fills, and a joint that freezes.
    """
    chosen = next(s for s in range(1000 * seed, 1000 * seed + 1000) if _varied(_motion(s, rate=10.0)))
    recording = _motion(chosen, rate=_RATE)
    assert recording.truth is not None  # the generator knows what it made
    starts = [frame / _RATE for frame in recording.truth.boundaries]
    recording = inject(recording, "swapped", start_s=(starts[5] + starts[6]) / 2, duration_s=0.8, seed=seed)
    recording = inject(recording, "frozen", start_s=(starts[9] + starts[10]) / 2, duration_s=1.5, seed=seed)
    recording = inject(recording, "gap", start_s=(starts[8] + starts[9]) / 2, duration_s=0.5, seed=seed)
    return replace(recording, name=f"embedded demo, seed {seed}")


def _motion(seed: int, *, rate: float) -> Recording:
    return generate(seed, rate=rate, actions=_ACTIONS, n_segments=_SEGMENTS, min_segment_s=4.5, max_segment_s=6.5)


def _varied(recording: Recording) -> bool:
    return recording.truth is not None and _DISTINCT <= len(set(recording.truth.names)) < _SEGMENTS - 1

"""What the built-in model does with a stream, from the number of its channels and its rate alone."""

from __future__ import annotations

from dataclasses import dataclass

MOST_RATE_HZ = 30.0
FEW = 4
_LEAST_RATE_FEW_HZ = 10.0  # patterns are compared in blocks of a tenth of a second
_WINDOW_TAPS = 20  # a tenth of a second apart: two seconds
_TAP_S = 0.1
_MOST_DIMS = 48
_MEMORY_S = 300.0
_ERROR_MEMORY_S = 30.0
_RECENT_S = 2.0


@dataclass(frozen=True, slots=True)
class ScratchPlan:
    """The numbers that the graph is built from.

    Few channels are embedded by their recent past (delay embedding), many by posture and speed.

    Attributes:
        channels: C, numbers in a frame.
        rate_hz: Frames a second at which the graph steps.
    """

    channels: int
    rate_hz: float

    @classmethod
    def of(cls, channels: int, source_rate_hz: float) -> ScratchPlan:
        """The plan for a source of that many channels and frames a second: fast ones are averaged, and slow ones of few
        channels interpolated."""
        rate_hz = min(source_rate_hz, MOST_RATE_HZ)
        return cls(channels, max(rate_hz, _LEAST_RATE_FEW_HZ) if channels <= FEW else rate_hz)

    @property
    def few(self) -> bool:
        """Whether the recent past says more than the present frame."""
        return self.channels <= FEW

    @property
    def spacing(self) -> int:
        """Frames between two taps of the delay embedding: as many as there are in a block of the segmenter.

        With several channels taps are further apart, so that the embedding does not grow.
        """
        return max(1, round(_TAP_S * self.rate_hz)) * self.channels

    @property
    def taps(self) -> int:
        """Values of each channel in the delay embedding."""
        return _WINDOW_TAPS // self.channels

    @property
    def history(self) -> int:
        """Past frames that the state holds; none for many channels."""
        return (self.taps - 1) * self.spacing if self.few else 0

    @property
    def dims(self) -> int:
        """E: few channels give their taps and a level each, many are projected if there are too many."""
        return (self.taps + 1) * self.channels if self.few else min(2 * self.channels, _MOST_DIMS)

    @property
    def memory_frames(self) -> float:
        """Over how many frames means and deviations are taken, once there are so many."""
        return round(_MEMORY_S * self.rate_hz)

    @property
    def error_memory_frames(self) -> float:
        """Within so many frames the largest error of the prediction fades, to about a third."""
        return max(2, round(_ERROR_MEMORY_S * self.rate_hz))

    @property
    def recent_frames(self) -> float:
        """Over so many frames it is looked whether the signal stands still."""
        return max(2, round(_RECENT_S * self.rate_hz))

    @property
    def state(self) -> tuple[tuple[str, int], ...]:
        """Parts of the state and their sizes, in order."""
        C = self.channels
        parts = (("count", 1), ("mean", C), ("variance", C), ("previous_frame", C), ("previous_move", C))
        past = (("first_frame", C), ("window_deviation", C), ("history", self.history * C)) if self.few else ()
        recent = () if self.few else (("recent_mean", C), ("recent_variance", C))
        return (*parts, ("slope", C), ("largest_error", C), *past, *recent)

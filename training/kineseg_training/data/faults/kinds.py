"""The kinds of fault that are put into recordings: of bodies, and of channels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    Attributes:
        name: In tables, and in ``Recording.faults``.
        duration_s: From its first to its last frame.
        grows: Whether it grows from nothing to its full size at the end: a failure that could be warned of.
        what: In words.
    """

    name: str
    duration_s: float
    grows: bool
    what: str


BODY_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("gap", 0.4, False, "frames are missing"),
    FaultKind("occluded", 1.0, False, "the end of a limb is not seen (no values)"),
    FaultKind("stalled", 1.0, False, "the same pose comes again and again"),
    FaultKind("frozen", 1.0, False, "the end of a limb stays where it was"),
    FaultKind("looped", 1.0, False, "the last second comes a second time"),
    FaultKind("unit", 2.0, False, "positions come in another unit: a thousandth of what they were"),
    FaultKind("spike", 0.05, False, "the end of a limb jumps away for a twentieth of a second"),
    FaultKind("jitter", 1.0, False, "three joints shake"),
    FaultKind("swapped", 1.0, False, "an arm or leg is taken for the other one"),
    FaultKind("axis_flip", 2.0, False, "a horizontal axis points the other way"),
    FaultKind("rescaled", 2.0, False, "the body shrinks by a fifth"),
    FaultKind("late", 2.0, False, "the end of a limb arrives 0.3 s late"),
    FaultKind("limb_late", 2.0, False, "a whole arm or leg arrives 0.3 s late"),
    FaultKind("drift", 6.0, True, "the end of a limb slips away, by a third of the body's height in the end"),
    FaultKind("slip", 8.0, True, "the end of a limb slips away slowly, by a twelfth of the body's height in the end"),
    FaultKind("tremor", 6.0, True, "the end of a limb trembles at 6 Hz, ever more"),
    FaultKind("growing_tremor", 8.0, True, "the end of a limb trembles at 4.5 Hz, ever more, by a fiftieth in the end"),
)

CHANNEL_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("gap", 0.4, False, "frames are missing"),
    FaultKind("occluded", 1.0, False, "a channel has no values"),
    FaultKind("stalled", 1.0, False, "the same values come again and again"),
    FaultKind("looped", 1.0, False, "the last second comes a second time"),
    FaultKind("frozen", 2.0, False, "a channel stays as it was"),
    FaultKind("unit", 2.0, False, "the channels of a sensor come in another unit: 9.8 times what they were"),
    FaultKind("sign_flip", 2.0, False, "a channel has the other sign"),
    FaultKind("gain", 4.0, False, "a channel swings twice as far"),
    FaultKind("growing_jitter", 6.0, True, "a channel shakes ever more, by its deviation in the end"),
    FaultKind("spike", 0.05, False, "a channel jumps by four deviations for a twentieth of a second"),
    FaultKind("offset", 4.0, False, "a channel is off by two deviations"),
    FaultKind("drift", 6.0, True, "a channel moves away, by three deviations in the end"),
    FaultKind("lag", 2.0, False, "a channel arrives 0.3 s late"),
    FaultKind("jitter", 1.0, False, "a channel shakes by half its deviation"),
)

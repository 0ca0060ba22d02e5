"""An example of every kind of fault: what is put in, and which lines show it best."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.anomalies import AnomalyKind as K

from evaluation.alerts.kinds.faulty import Make, body_fault, gyro_amplified, held_askew, temperature_off


@dataclass(frozen=True)
class Example:
    """A stream in which one kind of fault is.

    Attributes:
        make: Makes it.
        put_in: What goes wrong in it, in words.
        lines: Joints or channels whose path is drawn.
    """

    make: Make
    put_in: str
    lines: int = 1


EXAMPLES: dict[K, Example] = {
    K.GAP: Example(body_fault("gap"), "12 frames are missing"),
    K.OCCLUDED: Example(body_fault("occluded"), "a hand or foot has no values for a second"),
    K.STALLED: Example(body_fault("stalled"), "one frame is sent again and again for a second"),
    K.FROZEN: Example(body_fault("frozen"), "a hand or foot stays where it was for a second"),
    K.LOOPED: Example(body_fault("looped"), "the last second is sent a second time"),
    K.LATE: Example(body_fault("late"), "a hand or foot comes 0.3 s late for two seconds"),
    K.UNIT: Example(body_fault("unit"), "values are a thousandth of what they were for two seconds"),
    K.AXES: Example(body_fault("axis_flip"), "a horizontal axis points the other way for two seconds"),
    K.SWAPPED: Example(body_fault("swapped"), "an arm or leg is taken for the other one for a second", lines=2),
    K.SCALE: Example(body_fault("rescaled"), "the body is a fifth smaller for two seconds"),
    K.SPIKE: Example(body_fault("spike"), "a hand or foot jumps away for a twentieth of a second"),
    K.JITTER: Example(body_fault("jitter"), "three joints shake for a second"),
    K.TREMOR: Example(body_fault("tremor"), "a hand or foot trembles at 6 Hz, ever more, for six seconds"),
    K.DRIFT: Example(body_fault("drift"), "a hand or foot slips away within six seconds, by a third of the height"),
    K.LEVEL: Example(temperature_off, "the temperature is two degrees too high for five seconds"),
    K.GAIN: Example(gyro_amplified, "an axis swings eight times as far for six seconds"),
    K.UNUSUAL: Example(held_askew, "all axes rest where they have never been all at once, for five seconds", lines=3),
}

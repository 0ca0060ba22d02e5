"""What every kind of fault is, what finds it, and what that needs: the words of the page."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.anomalies import AnomalyKind as K

_OWN = "ours, no method of the literature"
_TAILS = "how rare that is, by peaks over a threshold (Pickands 1975)"
_FROM_START = "from the start of the stream"
_AFTER_10_S = "ten seconds of the stream, or two with a profile"
_BONES = "a tree of joints; ten seconds of the stream, or two with a profile"
_PAST_30_S = (
    "channels; 30 s of the stream's own past, and at two alarms an hour about ten minutes of it, since a minute cannot "
    "show what comes once in half an hour"
)


@dataclass(frozen=True)
class Description:
    """Of a kind.

    Attributes:
        what: What is wrong, in a sentence or two.
        found_by: What finds it.
        source: Where the method is from.
        needs: Joints or channels, and how much of the stream.
        cost: What it computes and keeps.
        files: Its own, below ``service/kineseg_core/anomalies``.
        hard: What stays hard; empty: nothing that is known.
    """

    what: str
    found_by: str
    source: str
    needs: str
    cost: str
    files: tuple[str, ...]
    hard: str = ""


DESCRIPTIONS: dict[K, Description] = {
    K.GAP: Description(
        "No frames came for a while.",
        "a time between two frames of more than two and a half times the source's usual one",
        "the gap test of QARTOD (IOOS 2016), against the source's own pace",
        f"joints or channels, with capture times; {_FROM_START}. It is raised with the first frame after the gap: a "
        "source that has stopped for good raises nothing",
        "a comparison a frame, three numbers",
        ("rules/gap.py",),
        "frames that are missing from a source without capture times, whose clock hides it.",
    ),
    K.OCCLUDED: Description(
        "A joint or channel that was seen has no values.",
        "missing values (NaN) for 0.1 s and more",
        _OWN,
        f"joints or channels; {_FROM_START}, once the unit has been seen for a second",
        "a comparison a number, a run a unit",
        ("rules/occluded.py",),
        "trackers that invent a place for what they do not see; they had better send NaN.",
    ),
    K.STALLED: Description(
        "The whole source gives the same frame again and again.",
        "equal frames for 0.2 s and more",
        "the flat line test of QARTOD (IOOS 2016), exact and of all numbers at once",
        f"joints or channels; {_FROM_START}, once something has moved for half a second",
        "the same comparison as `frozen`, one run",
        ("rules/stalled.py",),
        "a source that repeats its last frame with new noise.",
    ),
    K.FROZEN: Description(
        "A joint or channel keeps exactly its values while others move on.",
        "equal values for 0.3 s and more; longer if the unit is of coarse resolution and rests as a matter of course",
        "the stuck-at fault of Ni et al. (2009); the flat line test of QARTOD (IOOS 2016), made exact",
        f"joints or channels; {_FROM_START}, once the unit has moved for a second",
        "a comparison a number, a run a unit",
        ("rules/frozen.py",),
        "a joint that is kept still with respect to the body, or with noise on it: its values are never equal.",
    ),
    K.LOOPED: Description(
        "Frames come that have come before, as from a buffer that is read again.",
        "hashes of the last minute's frames: 0.2 s of them come again in their order",
        "hash: FNV-1a (Fowler, Noll and Vo); the rule is ours",
        "joints or channels; five seconds of the stream",
        "a hash of 16 bits a frame, kept for a minute, and a search among them",
        ("rules/looped.py",),
        "a repetition with new noise, and one of what is more than a minute old.",
    ),
    K.LATE: Description(
        "A joint or channel is behind the others: its data has been held up.",
        "a unit repeats exactly what it did up to 0.6 s before, while others do not; of bodies also a path that is "
        "that of a moment before",
        _OWN,
        "joints or channels; five seconds of the stream",
        "a number a unit and frame, kept for 0.6 s, and a comparison with each of them",
        ("rules/replayed.py", "diagnosis/body.py"),
        "it shows only while the unit falls behind. Afterwards a channel is cleared although it stays late; a lag that "
        "grows by parts of a frame is found by what it does to bones, if at all.",
    ),
    K.UNIT: Description(
        "Values come in another unit: millimetres for metres, m/s² for g.",
        "all bones longer or shorter by one factor of at least 5; all three axes of a sensor by one of at least 4, "
        "from one row to the next",
        _OWN,
        "a tree of joints, once the lengths of bones are known; or three channels whose names differ in `x`, `y` and "
        "`z`, after ten seconds",
        "a median over bones; of channels a comparison with the row that was expected",
        ("diagnosis/body_rules.py", "diagnosis/channel_rules.py"),
        "smaller factors, and single channels: a thermometer that changes to Fahrenheit is off its level.",
    ),
    K.AXES: Description(
        "The body is mirrored or its axes have been exchanged; a channel's sign has turned over.",
        "one of the 47 exchanges of axes and signs takes the joints from where they would be to where they are",
        "the signed permutations of three axes (hyperoctahedral group); the rule is ours",
        "joints, after one second; channels, after ten, and only a sign",
        "48 products of three by three, only in a row in which half of the joints have jumped",
        ("diagnosis/axes.py", "diagnosis/body_rules.py", "diagnosis/channel_rules.py"),
        "a rotation by any other angle, and the sign of a channel that is near zero at that moment: no jump.",
    ),
    K.SWAPPED: Description(
        "Left and right are taken for each other.",
        "in a row in which joints jump, they are where those of the other side were about to be",
        f"{_OWN}; {_TAILS}",
        "joints whose names say left and right, " + _AFTER_10_S,
        "two distances a pair, only once something has jumped",
        ("diagnosis/swapped.py",),
        "limbs that are close together while they are exchanged: then nothing jumps.",
    ),
    K.SCALE: Description(
        "The body has another size, as after a wrong calibration.",
        "all bones are longer or shorter by one factor of at least 4 per cent",
        f"{_OWN}; {_TAILS}",
        _BONES,
        "a median over bones a row",
        ("values/body.py", "diagnosis/scale.py"),
        "a change by less; and the end of it, which is only seen seconds after the body has its own size again.",
    ),
    K.SPIKE: Description(
        "A joint or channel jumped away and back.",
        "second differences, and a path that is back within a quarter second",
        f"the spike fault of Ni et al. (2009); {_TAILS}",
        "joints or channels; " + _AFTER_10_S,
        "a second difference a number and row",
        ("values/body.py", "values/channels.py", "diagnosis/path.py"),
        "a single outlier of a sensor in lively movement, which has steps as large of its own.",
    ),
    K.JITTER: Description(
        "A joint or channel shakes.",
        "movement above 8 Hz that goes on for 0.3 s (channels: 0.5 s), against slower movement",
        f"the noise fault of Ni et al. (2009); high-pass of second order (Butterworth 1930); {_TAILS}",
        "joints, after ten seconds; channels, after 30",
        "two filters a number and row",
        ("values/body.py", "values/channels.py", "diagnosis/body.py"),
        "shaking that is less than what the source always does, and channels that are noise to begin with.",
    ),
    K.TREMOR: Description(
        "A joint trembles: it goes to and fro 3.5 to 8 times a second, and keeps that up.",
        "movement of 3.5 to 8 Hz of joints against their speed for 0.8 s, and of the lengths of bones",
        f"the band of tremors (Deuschl et al. 1998); band-pass (Butterworth 1930); {_TAILS}",
        _BONES,
        "a filter a number, and one a bone, and row",
        ("values/body.py", "diagnosis/path.py"),
        "the name, where the joint makes steps as well: it may be called `late`.",
    ),
    K.DRIFT: Description(
        "A joint slips away from where it belongs, or a channel leaves its level slowly.",
        "bones whose length is no longer what it was, as means of 0.1, 0.6 and 0.7 s; channels that are far from the "
        "median of their last minute, without a step",
        f"the calibration drift of Ni et al. (2009); {_TAILS}",
        f"{_BONES}. Channels as `level`",
        "three means a bone and row",
        ("values/body.py", "values/bones.py", "diagnosis/suspect.py"),
        "slow drifts of noisy skeletons: everyday errors of a depth camera's tracker are as large. A joint that turns "
        "about its parent has the same bone all along.",
    ),
    K.LEVEL: Description(
        "A channel is off its usual level.",
        "a step that stays (second differences), and distance from the median of the last minute",
        f"the offset fault of Ni et al. (2009); {_TAILS}",
        _PAST_30_S,
        "a median a channel, of up to 64 rows of the last minute",
        ("values/channels.py", "diagnosis/channels.py"),
        "a constant offset of a body-worn sensor in lively movement: nothing else says that it is wrong.",
    ),
    K.GAIN: Description(
        "A channel swings further, or less far, than it does, on both sides of its usual level.",
        "distance from the median of the last minute, on either side within half a second of the alarm",
        f"the gain fault of Ni et al. (2009); {_TAILS}",
        _PAST_30_S,
        "none beyond that of `level`",
        ("values/channels.py", "diagnosis/channels.py"),
        "swings that are two or three times as far: at two alarms an hour they are missed. One that takes longer than "
        "a second to and fro is called `drift`, since its other side has not been seen when it is named; one that "
        "begins with a jump is called `level`.",
    ),
    K.UNUSUAL: Description(
        "Something rarer than the budget allows that none of the other kinds explains; also the first name of a jump, "
        "until it is plain what it is.",
        "channels: the last quarter second is far from the nearest of the stream's own last three minutes, while no "
        "channel is by itself",
        f"left discords of the matrix profile (DAMP; Lu et al. 2022), without normalising, on blocks; {_TAILS}",
        _PAST_30_S,
        "a distance to each of at most 720 blocks, four times a second",
        ("values/past.py",),
        "of bodies there is no such detector: what is rare of a body gets the name that fits best after half a second.",
    ),
}

REFERENCES = (
    "Butterworth (1930): On the theory of filter amplifiers. Experimental Wireless 7.",
    "Deuschl, Bain, Brin et al. (1998): Consensus statement of the Movement Disorder Society on tremor. Movement "
    "Disorders 13.",
    "IOOS (2016): Manual for real-time quality control of in-situ temperature and salinity data (QARTOD), version 2.0.",
    "Lu, Wu, Mueen, Zuluaga and Keogh (2022): Matrix Profile XXIV: scaling time series anomaly detection to trillions "
    "of datapoints and ultra-fast arriving data streams (DAMP). KDD.",
    "Ni, Ramanathan, Chehade et al. (2009): Sensor network data fault types. ACM Transactions on Sensor Networks 5.",
    "Pickands (1975): Statistical inference using extreme order statistics. Annals of Statistics 3.",
)
"""What the sources are, in full."""

"""One stream of hours: what it costs at its beginning and at its end, and whether it still knows its actions."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import kineseg
import numpy as np
from kineseg.motion import Recording, canonical_pose, generate
from numpy.typing import NDArray
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, kineseg_server

RATE = 30.0
TENTHS = 10
# So much motion for every second asked for: hours at the default.
_MOTION_PER_S = 540.0
_PART_S = 300.0
_CHUNK_S = 2.0


@dataclass(frozen=True)
class Tenth:
    """A tenth of the stream: what it cost, and how much of its time has the label that its action had before."""

    hours: float  # of motion, at its end
    cpu_us_per_frame: float
    times_real_time: float
    resident_bytes: int
    segments: int
    known_share: float | None  # None while nothing has come before


@dataclass(frozen=True)
class LongStream:
    """The whole stream."""

    tenths: tuple[Tenth, ...]
    labels: int
    actions: int
    ids_rise: bool  # every segment id is greater than all before it
    labels_return: bool  # a label comes back after it was merged into another

    @property
    def cost_growth(self) -> float:
        """CPU time of a frame in the last tenth against the second; the first has caches to fill."""
        return self.tenths[-1].cpu_us_per_frame / self.tenths[1].cpu_us_per_frame

    @property
    def memory_growth_bytes(self) -> int:
        """From the end of the second tenth to the end."""
        return self.tenths[-1].resident_bytes - self.tenths[1].resident_bytes


def measure(seconds: float) -> LongStream:
    """Sends generated motion, 540 times as long as `seconds`, through the server as fast as it takes it.

    The person is always the same, and all motion is new: an action comes back, but never the same movement.
    """
    parts = [_part(seed, duration) for seed, duration in enumerate(_durations(seconds * _MOTION_PER_S))]
    poses = np.concatenate([pose for pose, _ in parts])
    actions = [name for _, names in parts for name in names]
    tenths = np.linspace(0, len(poses), TENTHS + 1).astype(int)
    with kineseg_server() as server, kineseg.Client(server.address) as client:
        events, costs = _send(client, server, poses, tenths)
    return _measured(events, costs, actions, tenths)


def _durations(total_s: float) -> list[float]:
    count = max(1, round(total_s / _PART_S))
    return [total_s / count] * count


def _part(seed: int, duration_s: float) -> tuple[NDArray[np.float64], list[str]]:
    """Poses ``(T, 59)`` and the action of every frame."""
    recording: Recording = generate(1000 + seed, duration_s, RATE, body_variation=0.0)
    truth = recording.truth
    assert truth is not None  # of generated motion
    ends = (*truth.boundaries[1:], recording.n_frames)
    spans = zip(truth.names, truth.boundaries, ends, strict=True)
    return np.asarray(canonical_pose(recording).frames), [name for name, a, b in spans for _ in range(a, b)]


def _send(
    client: kineseg.Client, server: Running, poses: NDArray[np.float64], tenths: NDArray[np.int64]
) -> tuple[list[kineseg.Event], list[tuple[float, float, int]]]:
    """All events; and for every tenth CPU seconds, seconds, and resident bytes at its end."""
    events: list[kineseg.Event] = []
    costs = []
    chunk = round(_CHUNK_S * RATE)
    with client.stream(rate=RATE, chunk_s=_CHUNK_S) as stream:
        for begin, end in itertools.pairwise(tenths.tolist()):
            cpu, began = server.cpu_seconds(), time.perf_counter()
            for at in range(begin, end, chunk):
                stream.send(poses[at : min(at + chunk, end)])
                events += _events(stream.poll())
            stream.flush()
            costs.append((server.cpu_seconds() - cpu, time.perf_counter() - began, server.resident_bytes()))
        stream.end_input()
        events += _events(stream)
    return events, costs


def _events(items: Iterable[object]) -> list[kineseg.Event]:
    return [item for item in items if isinstance(item, kineseg.Event)]


def _measured(
    events: list[kineseg.Event],
    costs: list[tuple[float, float, int]],
    actions: list[str],
    tenths: NDArray[np.int64],
) -> LongStream:
    closed = [event for event in events if isinstance(event, kineseg.SegmentClosed)]
    labels = np.zeros(len(actions), np.int64)
    for event in closed:
        labels[event.start_frame : event.end_frame] = event.label
    found = []
    for (begin, end), (cpu, spent, resident) in zip(itertools.pairwise(tenths.tolist()), costs, strict=True):
        found.append(
            Tenth(
                hours=end / RATE / 3600.0,
                cpu_us_per_frame=cpu / (end - begin) * 1e6,
                times_real_time=(end - begin) / RATE / spent,
                resident_bytes=resident,
                segments=sum(begin <= event.start_frame < end for event in closed),
                known_share=_known_share(labels, actions, begin, end),
            )
        )
    ids = [event.segment_id for event in closed]
    return LongStream(
        tenths=tuple(found),
        labels=len(set(labels.tolist())),
        actions=len(set(actions)),
        ids_rise=all(a < b for a, b in itertools.pairwise(ids)),
        labels_return=_labels_return(events),
    )


def _known_share(labels: NDArray[np.int64], actions: list[str], begin: int, end: int) -> float | None:
    """How much of the time from `begin` to `end` has the label that its action had for the longest time before."""
    before: dict[str, Counter[int]] = {}
    for action, label in zip(actions[:begin], labels[:begin].tolist(), strict=True):
        before.setdefault(action, Counter())[label] += 1
    usual = {action: counts.most_common(1)[0][0] for action, counts in before.items()}
    here = list(zip(actions[begin:end], labels[begin:end].tolist(), strict=True))
    seen_before = [usual[action] == label for action, label in here if action in usual]
    return float(np.mean(seen_before)) if seen_before else None


def _labels_return(events: list[kineseg.Event]) -> bool:
    gone: set[int] = set()
    for event in events:
        if isinstance(event, kineseg.LabelsMerged):
            gone.add(event.label)
        elif isinstance(event, kineseg.SegmentClosed) and event.label in gone:
            return True
    return False


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    found = measure(seconds)
    caption = (
        f"{found.labels} labels for {found.actions} actions; segment ids {'rise' if found.ids_rise else 'FALL'}; "
        f"merged labels {'COME BACK' if found.labels_return else 'never come back'}; from the second tenth to the last "
        f"the cost of a frame is x {found.cost_growth:.2f} and memory {found.memory_growth_bytes / 2**20:+.1f} MiB"
    )
    table = Table(
        *("hours", "CPU us a frame", "x real time", "resident MiB", "segments", "labelled as before"),
        title="one stream of hours, new motion all the time",
        caption=caption,
    )
    for tenth in found.tenths:
        table.add_row(
            f"{tenth.hours:.2f}",
            f"{tenth.cpu_us_per_frame:.0f}",
            f"{tenth.times_real_time:.0f}",
            f"{tenth.resident_bytes / 2**20:.0f}",
            str(tenth.segments),
            "-" if tenth.known_share is None else f"{tenth.known_share:.0%}",
        )
    growth = {"cost_growth": found.cost_growth, "memory_growth_bytes": found.memory_growth_bytes}
    return [asdict(found) | growth], table

"""What chunks of many streams have given together that gave frames of the model and nothing else, in columns."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.intake.resampling import F32, I64, ModelFrames
from kineseg_core.intake.taken import ChunkEnd


@dataclass(slots=True, eq=False)
class PlainChunks:
    """N chunks, each of another stream.

    Attributes:
        places: N, which they are of those that were given.
        frames: ``(m, C)`` frames of the model, in its order of channels.
        moments: ``(m, 4)`` for each of them what `ModelFrames` says: decided, decided_ns, start, start_ns.
        begins: ``(N,)`` the row of the first frame of each; the others follow.
        ends: ``(N,)`` the row behind its last one.
        received: N, the index after the last frame that came with each.
    """

    places: list[int]
    frames: F32
    moments: I64
    begins: I64
    ends: I64
    received: list[int]

    @property
    def sizes(self) -> list[int]:
        """N, how many frames of the model each has."""
        sizes: list[int] = (self.ends - self.begins).tolist()
        return sizes

    def block(self, begin: int, end: int) -> ModelFrames:
        """Some rows, all of one chunk."""
        return ModelFrames(self.frames[begin:end], *self.moments[begin:end].T.tolist())

    def items(self, chunk: int, begin: int | None = None) -> list[ModelFrames | ChunkEnd]:
        """What the `Intake.take` of a chunk would have given, or of that what comes from row `begin` on."""
        first, end = int(self.begins[chunk]) if begin is None else begin, int(self.ends[chunk])
        rest = [self.block(first, end)] if first < end else []
        return [*rest, ChunkEnd(self.received[chunk])]

    def only(self, chunks: list[int]) -> PlainChunks:
        """Some of them."""
        places, received = [self.places[each] for each in chunks], [self.received[each] for each in chunks]
        return PlainChunks(places, self.frames, self.moments, self.begins[chunks], self.ends[chunks], received)

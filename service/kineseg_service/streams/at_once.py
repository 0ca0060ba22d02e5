"""Takes the chunks of a call of many streams as they come, all together: those of members of which nothing waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from kineseg_core.intake.together import take_plain

from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.scheduled import AnySubmitted
from kineseg_service.streams.feeder import Feeder
from kineseg_service.streams.sent_columns import SentColumns
from kineseg_service.streams.taking import TakingStream


class AtOnce:
    """What nearly all chunks go through, so that none is looked at more than once.

    Args:
        feeder: Gives turns to members of which there is something left.
    """

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder

    def take(
        self, members: Mapping[int, TakingStream], sent: SentColumns, chunks: range, now: float
    ) -> tuple[Sequence[int], int]:
        """Takes some of the chunks that come `now`, where they are plain and nothing is to go before them.

        Returns:
            The chunks that are still to be offered, and how many frames the others have.
        """
        numbers, cuts = sent.numbers[chunks.start : chunks.stop], sent.cuts
        if sent.times is not None or len(set(numbers)) < len(numbers):
            return chunks, 0
        late: list[int] = []
        alike: dict[object, list[tuple[TakingStream, int]]] = {}
        for chunk, number in zip(chunks, numbers, strict=True):
            member, begin = members.get(number), cuts[chunk]
            if member is None or begin % 4 or not member.comes_at_once(cuts[chunk + 1] - begin, now):
                late.append(chunk)
            elif member.kind in alike:
                alike[member.kind].append((member, chunk))
            else:
                alike[member.kind] = [(member, chunk)]
        taken: list[AnySubmitted] = []
        go_on: list[TakingStream] = []
        come = refused = 0
        for those in alike.values():
            frames, left = self._take_alike(those, sent, now, taken, go_on)
            come, refused = come + frames, refused + left
        self._feeder.hand_over(taken, come - refused, chunks=len(chunks))
        self._feeder.offered(go_on)
        return late, come

    def _take_alike(
        self,
        alike: Sequence[tuple[TakingStream, int]],
        sent: SentColumns,
        now: float,
        taken: list[AnySubmitted],
        go_on: list[TakingStream],
    ) -> tuple[int, int]:
        """Takes chunks of members of a kind.

        Args:
            alike: They, and whose each is.
            sent: Among which they are.
            now: When they come.
            taken: Gets what is for the engine.
            go_on: Gets members that are to have a turn, as something else follows from theirs, or it has been refused.

        Returns:
            How many frames they have, and how many of them have been refused.
        """
        numbers, cuts = np.frombuffer(sent.data, np.float32, len(sent.data) // 4), sent.cuts
        firsts = [sent.firsts[chunk] for _, chunk in alike]
        begins, ends = [cuts[chunk] // 4 for _, chunk in alike], [cuts[chunk + 1] // 4 for _, chunk in alike]
        plain, others, refused = take_plain([member.intake for member, _ in alike], firsts, numbers, begins, ends)
        if plain is not None:
            members = [alike[place][0] for place in plain.places]
            for member, made in zip(members, plain.sizes, strict=True):
                member.took_at_once(made)
            taken.append(SentChunks([member.stream for member in members], [now] * len(members), plain))
        for place, given in others.items():
            member, _ = alike[place]
            member.began_at_once(given, now)
            go_on.append(member)
        left = 0
        for place in refused:
            member, chunk = alike[place]
            left += ends[place] - begins[place]
            member.let_wait(sent.firsts[chunk], sent.data_of(chunk), (), now)
            go_on.append(member)
        width = alike[0][0].frame_bytes // 4
        return (sum(ends) - sum(begins)) // width, left // width

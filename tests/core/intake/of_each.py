"""What chunks that were taken together have given, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable

from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import TakenTogether


def of_each(taken: TakenTogether) -> list[Iterable[Taken] | None]:
    """In the order of the chunks; of each plain one that it has given frames and nothing else."""
    given = dict(taken.others)
    for chunks in taken.plain:
        given.update({place: chunks.items(chunk) for chunk, place in enumerate(chunks.places)})
    assert len(given) == len(taken.others) + sum(len(chunks.places) for chunks in taken.plain)
    return [given[place] for place in range(len(given))]

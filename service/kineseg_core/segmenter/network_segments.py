"""Segments whose boundaries the boundary network finds, wherever the numbers of the stream are kept."""

from __future__ import annotations

from abc import abstractmethod

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.decider import Decided
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.labels import Labeller
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.segments import Segments


@within("0 <= _first_frame", "0 <= _decider._count")
@keeps("_decider _first_frame", fixed="_compared")
class NetworkSegments(Segments):
    """What is done with what a `BoundaryDecider` decides.

    Args:
        plan: How the stream is segmented.
        labeller: What gives labels, in place of the one that the plan names.
    """

    def __init__(self, plan: SegmenterPlan, labeller: Labeller | None = None) -> None:
        super().__init__(plan.settings, plan.views.compared, BLOCK_S, labeller)
        self._decider = plan.decider()
        self._compared = slice(0, plan.views.compared)
        self._first_frame = 0  # of block 0

    @property
    def frames(self) -> int:
        """How many have come."""
        return self._n_frames

    def check_kept(self) -> None:
        """Raises `ValueError` unless its segments begin at blocks that have come, where its decider has them."""
        begin, open_ = self._decider.start, [one.block for one in self._decider.open]
        edges = [0, begin, *open_, self._count]
        if self._has_open_segment and (
            edges != sorted(edges) or begin != self._start_block or open_ != [one.boundary for one in self.provisional]
        ):
            raise ValueError("segments begin where no block has come")

    def _check_blocks(self, frames: int, blocks: int, frames_per_block: float) -> None:
        """Raises `ValueError` unless so many frames since the last interruption have given so many blocks."""
        near = 1e-6 + 1e-12 * frames
        least, most = blocks * frames_per_block - near, (blocks + 1) * frames_per_block + near
        if blocks != self._count or self._first_frame + frames != self._n_frames or not least <= frames <= most:
            raise ValueError("so many frames do not give so many blocks")

    @property
    @abstractmethod
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""

    @property
    @abstractmethod
    def _n_frames(self) -> int:
        """Frames that have come."""

    @abstractmethod
    def _restart(self) -> None:
        """The numbers of the stream begin anew, but for what has been learned of its scales."""

    def restart(self) -> list[Decision]:
        """The stream was interrupted here: what is pending is decided, and the next frame begins a segment.

        Labels, numbering, and what has been learned of the stream's scales go on.
        """
        decisions = self.finish()
        self._restart()
        self._decider.restart()
        self._first_frame = self._n_frames
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        if not self._has_open_segment:
            return decisions
        for decided in self._decider.finish(self._count):
            self._apply(decided, decisions)
        self._retract(self.provisional[:], decisions)
        self._close(self._count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

    def _apply(self, decided: Decided, decisions: list[Decision]) -> None:
        emitted = {one.boundary: one for one in self.provisional}
        self._retract([emitted[each.block] for each in decided.retracted], decisions)
        if decided.final is not None:
            confirmed = None if decided.confirmed is None else emitted[decided.confirmed.block]
            self._confirm(decided.final, confirmed, decisions)
        for each in decided.changed:
            emitted[each.block].confidence = each.probability
            self._review_label(emitted[each.block], decisions)
        if decided.provisional is not None:
            self._emit_provisional(decided.provisional.block, decided.provisional.probability, decisions)

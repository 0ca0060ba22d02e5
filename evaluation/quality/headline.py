"""The main table: every set left out, ours beside the best online peer of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.quality.looked_at import Setting, tried_on
from evaluation.quality.results import BLIND, FINAL, NEAREST_CENTROID, OUR_LABELS, PROVISIONAL, MethodResult, SetResult
from evaluation.quality.sets import SETS


@dataclass(frozen=True, eq=False)
class Headline:
    """One set.

    Attributes:
        result: All about it.
        figure: The share that it is judged by.
        seen: What the bundle that was run has seen of the set's family; empty if nothing: the set is left out.
    """

    result: SetResult
    figure: str
    seen: str

    @property
    def name(self) -> str:
        """Of the set."""
        return self.result.name

    @property
    def final(self) -> MethodResult | None:
        """Our final segments."""
        return self.result.row(FINAL)

    @property
    def provisional(self) -> MethodResult | None:
        """Our provisional segments."""
        return self.result.row(PROVISIONAL)

    @property
    def floor(self) -> MethodResult | None:
        """A method that looks at nothing."""
        return self.result.row(BLIND)

    @property
    def oracle(self) -> MethodResult | None:
        """Our labels on the true boundaries."""
        return self.result.row(OUR_LABELS) or self.result.row(NEAREST_CENTROID)

    @property
    def best_peer(self) -> MethodResult | None:
        """The online peer with the highest `figure`; the first of several; None if none was run."""
        ran = [row for row in self.result.rows if row.kind == "peer"]
        return max(ran, key=lambda row: row.score.shares[self.figure], default=None)

    @property
    def ahead(self) -> float | None:
        """Ours, final, minus the best peer, in `figure`; None unless both were run."""
        if self.final is None or self.best_peer is None:
            return None
        return self.final.score.shares[self.figure] - self.best_peer.score.shares[self.figure]


@dataclass(frozen=True)
class Verdict:
    """Over all sets that have both.

    Attributes:
        mean_ahead: Mean of ours minus the best online peer.
        worst: The set where that is lowest.
        worst_ahead: By how much.
        sets: How many.
    """

    mean_ahead: float
    worst: str
    worst_ahead: float
    sets: int


def headlines(results: Sequence[SetResult], settings: Sequence[Setting], *, packaged: bool) -> list[Headline]:
    """A row a set.

    Args:
        results: Of the sets.
        settings: That were looked at.
        packaged: Whether the packaged bundle ran where none was left out; of another one nothing is known.
    """
    return [Headline(each, SETS[each.name].figure, _seen(each, settings, packaged)) for each in results]


def verdict(rows: Sequence[Headline]) -> Verdict | None:
    """The two lines on top; None if no set has both ours and a peer."""
    known = {row.name: ahead for row in rows if (ahead := row.ahead) is not None}
    if not known:
        return None
    worst = min(known, key=lambda name: known[name])
    return Verdict(sum(known.values()) / len(known), worst, known[worst], len(known))


def _seen(result: SetResult, settings: Sequence[Setting], packaged: bool) -> str:
    if result.left_out:
        return ""
    if not packaged:
        return f"not known of the bundle {result.bundle}"
    tried = tried_on(SETS[result.name].family, settings)
    said = (SETS[result.name].saw, f"{tried} values of settings were looked at on its family" if tried else "")
    return "; ".join(part for part in said if part)

"""All figures, for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from evaluation.quality import transition_tables
from evaluation.quality.headline import Headline, verdict
from evaluation.quality.plan import QualityPlan
from evaluation.quality.results import MethodResult, SetResult


def plain(rows: Sequence[Headline], plan: QualityPlan, *, machine: str) -> dict[str, Any]:
    """What ``quality.json`` holds."""
    found = verdict(rows)
    return {
        "machine": machine,
        "plan": {
            "sets": plan.sets,
            "seeds": plan.seeds,
            "peers": plan.peers,
            "bundle": str(plan.bundle) if plan.bundle else None,
            "left_out": {family: str(path) for family, path in plan.left_out.items()},
            "latency_s": plan.latency_s,
            "limit": plan.limit,
        },
        "verdict": asdict(found) if found else None,
        "transitions": transition_tables.plain([row.result for row in rows]),
        "sets": {row.name: _set(row.result) | _headline(row) for row in rows},
    }


def _headline(row: Headline) -> dict[str, Any]:
    return {
        "judged_by": row.figure,
        "seen": row.seen,
        "best_peer": row.best_peer.method if row.best_peer else None,
        "ahead": row.ahead,
    }


def _set(result: SetResult) -> dict[str, Any]:
    return {
        "not_served": result.not_served,
        "bundle": result.bundle or None,
        "left_out": result.left_out,
        "rows": [_row(row) for row in result.rows],
        "streams": {
            each.stream.name: {"final": each.final.shares, "provisional": each.provisional.shares}
            for each in result.streams
        },
        "reliability": asdict(result.reliability) if result.reliability else None,
        "repetition": asdict(result.repetition) if result.repetition else None,
    }


def _row(row: MethodResult) -> dict[str, Any]:
    return {
        "method": row.method,
        "kind": row.kind,
        "streams": row.streams,
        **row.score.shares,
        "delay_s": row.score.delay(0.5),
        "delay_95_s": row.score.delay(0.95),
        "longest_wait_s": max(row.waits_s, default=None),
        "segments": row.segments,
        "boundaries_per_minute": row.boundaries_per_minute,
        "frames_per_s": row.frames_per_s,
    }

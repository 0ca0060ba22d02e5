"""Decoders of the built-in model: streams of one plan share one, which is found again without waiting."""

from __future__ import annotations

from kineseg_core.generic import ScratchDecoders, scratch_plan


def test_what_has_been_made_is_found_and_what_has_not_is_not_waited_for() -> None:
    made: list[object] = []
    decoders = ScratchDecoders(slots=4, max_batch=4, made=made.append)
    plan, other = scratch_plan(["a"], 30.0), scratch_plan(["a", "b"], 30.0)
    assert decoders.found(plan) is None
    decoder = decoders.get(plan)
    assert decoders.found(plan) is decoders.get(plan) is decoder
    assert decoders.found(other) is None
    assert made == [decoder]


def test_nothing_is_found_while_another_is_made() -> None:
    seen: list[object] = []
    decoders = ScratchDecoders(slots=4, max_batch=4, made=lambda _: seen.append(decoders.found(plan)))
    plan = scratch_plan(["a"], 30.0)
    decoder = decoders.get(plan)
    decoders.get(scratch_plan(["a", "b"], 30.0))
    assert seen == [None, None]
    assert decoders.found(plan) is decoder


def test_what_is_found_is_kept_longer_than_what_is_not() -> None:
    decoders = ScratchDecoders(slots=4, max_batch=4)
    plans = [scratch_plan([f"c{at}" for at in range(count)], 30.0) for count in range(1, 11)]
    for plan in plans:
        decoders.get(plan)
        assert decoders.found(plans[0]) is not None
    assert decoders.found(plans[1]) is None

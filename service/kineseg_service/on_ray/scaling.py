"""How many replicas there should be."""

from __future__ import annotations

import math
from typing import Any

from kineseg_service.on_ray.replica import STREAMS


class ByOpenStreams:
    """So many that each has its share of the open streams; Serve keeps to the bounds and delays that it was given.

    Calls say nothing: one carries a stream, or a thousand.

    Args:
        streams_per_replica: That share.
    """

    def __init__(self, streams_per_replica: float) -> None:
        self._share = streams_per_replica

    def __call__(self, context: Any) -> tuple[int, dict[str, Any]]:
        """The number, and what Serve is to remember for the next time: nothing."""
        counted: dict[Any, float] = (context.aggregated_metrics or {}).get(STREAMS, {})
        if not counted:  # no replica has said anything yet
            return context.target_num_replicas, {}
        return max(1, math.ceil(sum(counted.values()) / self._share)), {}

"""The trials, a file each."""

from collections.abc import Mapping

from evaluation.chaos.trial import Trial
from evaluation.chaos.trials import (
    day,
    disk_full,
    door,
    files,
    fuzzing,
    killed,
    neighbours,
    network,
    redis_restarted,
    rolling,
)

TRIALS: Mapping[str, Trial] = {
    "killed": killed.run,
    "rolling": rolling.run,
    "network": network.run,
    "redis_restarted": redis_restarted.run,
    "disk_full": disk_full.run,
    "fuzzing": fuzzing.run,
    "files": files.run,
    "neighbours": neighbours.run,
    "day": day.run,
    "door": door.run,
}

COMPARING = frozenset({"fuzzing", "neighbours"})
"""Those of them that compare how long others wait."""

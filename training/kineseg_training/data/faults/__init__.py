"""Faults of capture, put into recordings on purpose: what detectors of faults are measured with."""

from kineseg_training.data.faults.kinds import BODY_FAULTS, CHANNEL_FAULTS, FaultKind
from kineseg_training.data.faults.put import fault_kinds, with_fault

__all__ = ["BODY_FAULTS", "CHANNEL_FAULTS", "FaultKind", "fault_kinds", "with_fault"]

"""Synthetic motion: made-up people doing made-up sequences of actions, with known truth and faults on demand.

For demonstrations and tests. Nothing here was measured on a person, and every recording says so (``synthetic=True``,
names beginning with ``synthetic``).
"""

from kineseg.motion.synthetic.actions import ACTIONS, Action
from kineseg.motion.synthetic.faults import FAULTS, inject
from kineseg.motion.synthetic.generator import generate

__all__ = ["ACTIONS", "FAULTS", "Action", "generate", "inject"]

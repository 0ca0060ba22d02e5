"""What is unusual in what is done: actions that are new, too long, too short, out of order, or repeated otherwise.

``BehaviourMonitor`` takes final segments and frames and gives reports, as anomalies of the class behaviour. Each kind
learns from the stream alone how probable what it sees is (`history`), and how often something so improbable comes
(`rarity`); `reports` holds to a budget.
"""

from kineseg_core.behaviour.monitor import BehaviourMonitor

__all__ = ["BehaviourMonitor"]

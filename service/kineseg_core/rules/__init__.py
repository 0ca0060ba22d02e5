"""Rules: names of segments that are alerts by themselves, and absences of names that are.

They are written in one small TOML file (`file`), and watched over the names that a stream's segments get (`watch`,
which is imported apart: who only reads such a file needs nothing of what watches).
"""

from kineseg_core.rules.file import load_rules, rules_from_toml
from kineseg_core.rules.rule import AbsenceRule, NameRule, Rule, joined

__all__ = ["AbsenceRule", "NameRule", "Rule", "joined", "load_rules", "rules_from_toml"]

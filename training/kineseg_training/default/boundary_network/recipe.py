"""The recipe of the boundary network that the service ships: about 40 minutes of one core and 8 GB."""

from __future__ import annotations

from kineseg_training.default.boundary_network.network import NetworkSize

TEACHER, SIZE = NetworkSize((24, 48, 72), 96), NetworkSize((16, 32, 64), 96)
"""What is fitted to the truth first, and what is fitted to that and ships: in half the time, and as good.
ONNX Runtime takes 16 maps at once."""

STREAMS = 2400
"""Training streams, about 290 examples of 8.8 kB each."""

STEPS = 16_000
"""Batches of 256, six times through all examples."""

SEED = 0

DISCREPANCY_WEIGHT = 6.0
"""What a kernel discrepancy beyond 0.5 adds to the logit; looked at on the development sets."""

OPERATING_POINT = {"final": 0.4, "margin": 0.2, "surest": 0.85, "provisional": 0.5, "shortest": 10}
"""Looked at on the development sets, too."""

CARD = """\
Finds where one action ends and the next begins, for every model and for signals of any kind; what it looks at has no
unit and no channels. Most of its training streams are made: of the clips above, of generated and of invented motion.
The others are recordings with people's annotation:

- six takes of subject 86 of the CMU Graphics Lab Motion Capture Database (annotation: Barbic et al., Graphics Interface
  2004), and three exercise takes of it, mocap6 (annotation: Fox, Hughes, Sudderth and Jordan, Annals of Applied
  Statistics 2014; github.com/michaelchughes/mocap6dataset, BSD 2-clause);
- UCI Gesture Phase Segmentation, three recordings of one person (Madeo, Lima and Peres, SAC 2013), CC BY 4.0.

Only the weights are here, nothing of the recordings. Figures on these sets are therefore not of motion that it never
saw; docs/quality.md of the project says which are."""

"""What a report can hold, in the order of the page: every experiment of every room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_training.errors import SettingsError
from kineseg_training.studies.exhibit import Exhibit, RunContext, experiment
from kineseg_training.studies.families import FAMILIES as MODELS

FAMILIES = tuple(MODELS)


@dataclass(frozen=True)
class Part:
    """A part of the page.

    Attributes:
        letter: For links.
        title: Its heading.
        text: What it is about.
    """

    letter: str
    title: str
    text: str


@dataclass(frozen=True)
class Entry:
    """An experiment.

    Attributes:
        key: Its name on the command line and of its folder.
        part: Letter of its part.
        function: Module and name of the function, ``module:name``.
        families: Whose models it is about; all of them must be chosen for it to run.
        needs: Families whose shared models it uses, which are trained before.
        bundles: Whether it uses their bundles as well, which are exported before.
        long: Whether it is one of those that take longest, and had better begin early.
    """

    key: str
    part: str
    function: str
    families: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    bundles: bool = False
    long: bool = False

    def run(self, context: RunContext) -> Exhibit:
        """Do it. Rooms are imported only now: some need much."""
        return experiment(self.function)(context)


PARTS = (
    Part(
        "A",
        "A tied sequence-to-sequence network, its decoder states and its embedding",
        "K. Su and E. Shlizerman, “Clustering and Recognition of Spatiotemporal Features through Interpretable "
        "Embedding of Sequence to Sequence Recurrent Neural Networks”, 2019 (arXiv 1905.12176): a GRU that learns "
        "to go on with motion has states that cluster by action in few dimensions.",
    ),
    Part(
        "B",
        "LSTMs that reconstruct and predict",
        "N. Srivastava, E. Mansimov and R. Salakhutdinov, “Unsupervised Learning of Video Representations using "
        "LSTMs”, 2015 (arXiv 1502.04681): an encoder that must serve two decoders learns what helps recognition.",
    ),
    Part(
        "C",
        "What the layers of a graph convolutional network see",
        "P. Das, S. Shekkizhar and A. Ortega, “Towards a geometric understanding of Spatio Temporal Graph Convolution "
        "Networks”, 2023 (arXiv 2312.07777): early layers carry general motion, late ones separate actions.",
    ),
    Part(
        "D",
        "In the service",
        "Every family as a bundle behind the real server: segments of real takes, and faults that the anomaly score "
        "finds.",
    ),
)

ENTRIES = (
    Entry("clips", "A", "studies.su_shlizerman_2019.clips.run:clips", ("su",)),
    Entry("takes", "A", "studies.su_shlizerman_2019.takes.run:takes", ("su",), long=True),
    Entry("views", "A", "studies.su_shlizerman_2019.views.run:views", ("su", "composite"), ("su", "composite")),
    Entry("optimality", "A", "studies.su_shlizerman_2019.optimality.run:optimality", ("su",), long=True),
    Entry("variants", "B", "studies.srivastava_2015.variants.run:variants", ("composite",), long=True),
    Entry(
        "extrapolation", "B", "studies.srivastava_2015.extrapolation.run:extrapolation", ("composite",), ("composite",)
    ),
    Entry("few-labels", "B", "studies.srivastava_2015.few_labels.run:few_labels", ("composite",), long=True),
    Entry("recognise", "C", "studies.das_2023.recognise.run:recognise", ("stgcn",), ("stgcn",)),
    Entry("layers", "C", "studies.das_2023.layers.run:layers", FAMILIES, FAMILIES),
    Entry("gradcam", "C", "studies.das_2023.gradcam.run:gradcam", ("stgcn",), ("stgcn",)),
    Entry("transfer", "C", "studies.das_2023.transfer.report:transfer", ("stgcn",), ("stgcn",), long=True),
    Entry("in-service", "D", "studies.service.families.run:in_service", FAMILIES, FAMILIES, bundles=True),
    Entry("faults", "D", "studies.service.faults.run:fault_detection", FAMILIES, FAMILIES, bundles=True),
    Entry("video", "D", "studies.service.video.run:example"),
)


def chosen(only: Sequence[str], without: Sequence[str], families: Sequence[str]) -> tuple[Entry, ...]:
    """The experiments asked for, in the order of the page.

    Args:
        only: Keys; none: all.
        without: Keys to leave out.
        families: Whose models may be used; none: all.

    Raises:
        SettingsError: A key or family that there is not, or nothing is left.
    """
    keys = [entry.key for entry in ENTRIES]
    for option, values, known in (("only", only, keys), ("without", without, keys), ("family", families, FAMILIES)):
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SettingsError(f"{option}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    allowed = set(families or FAMILIES)
    found = tuple(
        entry
        for entry in ENTRIES
        if (not only or entry.key in only) and entry.key not in without and set(entry.families) <= allowed
    )
    if not found:
        raise SettingsError("only, without, family: together they leave no experiment")
    return found

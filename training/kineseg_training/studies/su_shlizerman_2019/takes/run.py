"""The experiment on takes of subject 86: with the oracle, without it, what lies between, and the service beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import kineseg
import numpy as np
from numpy.typing import NDArray

from kineseg_training.default import recipe
from kineseg_training.errors import DataError, EvaluationError, SettingsError
from kineseg_training.files import write_atomically
from kineseg_training.loop import LoopSettings
from kineseg_training.server_process import running_server
from kineseg_training.studies.exhibit import Exhibit, Picture, Preset, RunContext, Table
from kineseg_training.studies.su_shlizerman_2019.clusters import Scores, named, score
from kineseg_training.studies.su_shlizerman_2019.takes.data import Take, load_take, take_numbers
from kineseg_training.studies.su_shlizerman_2019.takes.report import (
    TimelineBar,
    agreement_and_verdict,
    draw_bars,
    draw_mof,
    findings,
)
from kineseg_training.studies.su_shlizerman_2019.takes.segment import (
    EVERY,
    NO_ORACLE,
    ORACLE_SPLIT,
    RESULT,
    SETTINGS,
    UNTRAINED,
    Segmented,
    Variant,
    load_segmented,
    save_take,
    segment_take,
    variants_of,
)

BARS, MOF = "takes-bars.png", "takes-mof.png"
_ONLINE = "the service, online, given nothing"
_LARGEST = "one label for all frames"


@dataclass(frozen=True)
class TakesSelection:
    """Which takes, and which part of them.

    Attributes:
        takes: Their numbers; empty: all.
        frames: A piece of each, or all.
        served: Whether the service segments them too.
    """

    takes: tuple[str, ...]
    frames: tuple[int, int] | None = None
    served: bool = True


PLANS: Mapping[Preset, TakesSelection] = {
    "full": TakesSelection(()),
    "small": TakesSelection(("01", "03", "11")),
    "tiny": TakesSelection(("01",), frames=(250, 1450), served=False),
}


def takes(context: RunContext, numbers: Sequence[str] = (), *, command: str = "") -> Exhibit:
    """Segment takes with and without the oracle, and say what the difference is made of.

    Args:
        context: Where to work.
        numbers: Takes, instead of the preset's.
        command: The command line that was used, for the report.

    Raises:
        DataError: The takes are not there.
    """
    cmu, plan = context.needs_cmu(), PLANS[context.preset]
    chosen = tuple(numbers) or plan.takes or take_numbers(cmu)
    if not chosen:
        raise SettingsError(f"takes: there are none in {cmu / 'subject_86'}")
    loaded = [load_take(cmu, number, every=EVERY[context.preset], frames=plan.frames) for number in chosen]
    results = [(take, _segmented(context, take)) for take in loaded]
    online = _served(context, loaded) if plan.served else {}
    return _exhibit(context, results, online, command)


def _segmented(context: RunContext, take: Take) -> tuple[Segmented, ...]:
    folder = context.out / take.name
    if (folder / RESULT).is_file():
        return load_segmented(folder)[1]
    settings = SETTINGS[context.preset]
    found = segment_take(
        take,
        settings,
        folder,
        variants_of(oracle=True, plain=True, mixed=True),
        loop=LoopSettings(settings.iterations, settings.validate_every, device=context.device, seed=context.seed),
        progress=context.progress,
    )
    save_take(take, found, folder)
    return found


def _served(context: RunContext, loaded: Sequence[Take]) -> dict[str, tuple[Scores, NDArray[np.int64]]]:
    """The same takes through a server with the shipped bundle; nothing where there is none to serve."""
    try:
        bundle = recipe.shipped_bundle()
    except DataError:
        return {}
    missing = [take for take in loaded if not (context.out / take.name / "served.json").is_file()]
    if missing:
        with running_server(bundle) as address, kineseg.Client(address) as client:
            for take in missing:
                try:
                    result = client.segment(take.recording, decisions="final")
                except kineseg.KinesegError as error:
                    raise EvaluationError(f"take {take.name}: the server refused or failed: {error}") from error
                content = json.dumps({"labels": result.labels().tolist()})
                write_atomically(context.out / take.name / "served.json", content.encode())
    found = {}
    for take in loaded:
        labels = np.array(json.loads((context.out / take.name / "served.json").read_text())["labels"])
        right = named(take.labels, labels)
        found[take.name] = (score(take.labels, labels), np.where(right < 0, take.classes - 1 - right, right))
    return found


def _exhibit(
    context: RunContext,
    results: Sequence[tuple[Take, Sequence[Segmented]]],
    online: Mapping[str, tuple[Scores, NDArray[np.int64]]],
    command: str,
) -> Exhibit:
    variants = tuple(dict.fromkeys(one.variant for one in results[0][1]))

    def mean(variant: Variant, linkage: str = "single", figure: str = "mof") -> float:
        return float(np.mean([asdict(_one(found, variant, linkage).scores)[figure] for _, found in results]))

    largest = [float(np.bincount(take.labels).max() / len(take.labels)) for take, _ in results]
    by_row: dict[str, dict[str, list[float]]] = {
        variant.name: {
            f"{linkage} linkage": [_one(found, variant, linkage).scores.mof for _, found in results]
            for linkage in ("single", "average")
        }
        for variant in variants
    }
    by_row[_LARGEST] = {"reference": largest}
    if online:
        by_row[_ONLINE] = {"service": [scores.mof for scores, _ in online.values()]}
    draw_mof(by_row, context.out / MOF)
    shown = (ORACLE_SPLIT, NO_ORACLE)
    draw_bars(
        [
            (
                take,
                [
                    *(
                        TimelineBar(variant.name, one.labels, one.scores.mof)
                        for variant in shown
                        for one in (_one(found, variant, "single"),)
                    ),
                    *((TimelineBar(_ONLINE, online[take.name][1], online[take.name][0].mof),) if online else ()),
                ],
            )
            for take, found in results
        ],
        context.out / BARS,
    )
    oracle, plain = mean(ORACLE_SPLIT), mean(NO_ORACLE)
    names = ", ".join(take.name for take, _ in results)
    settings = SETTINGS[context.preset]
    made = (
        f"Takes {names} of CMU subject 86 as exponential maps, {results[0][0].recording.rate / results[0][0].every:g} "
        f"frames a second; a tied GRU of {settings.hidden} units trained for {settings.iterations} steps on each take "
        f"itself, {settings.source} frames read and {settings.target} predicted; decoder states clustered by cosine "
        "distance into as many clusters as there are true classes (given: this is offline); labels named one to one by "
        "the Hungarian method over all frames."
    )
    figures = {
        "mof_oracle_split": oracle,
        "mof_no_oracle": plain,
        "mof_oracle_split_average": mean(ORACLE_SPLIT, "average"),
        "mof_no_oracle_average": mean(NO_ORACLE, "average"),
        "mof_untrained_oracle_split": mean(UNTRAINED),
        "mof_one_label": float(np.mean(largest)),
        "ari_oracle_split": mean(ORACLE_SPLIT, figure="ari"),
        "ari_no_oracle": mean(NO_ORACLE, figure="ari"),
    }
    if online:
        figures["mof_service_online"] = float(np.mean([scores.mof for scores, _ in online.values()]))
    agreement, verdict = agreement_and_verdict(oracle, plain)
    return Exhibit(
        title="Takes of subject 86, with and without an oracle",
        paper="Su & Shlizerman 2019",
        command=command or f"kineseg-train baseline takes OUT --preset {context.preset}",
        findings=findings(mean, figures, oracle, plain),
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                BARS,
                f"The true segments of each take and what was found, coloured by the class that a label was matched to "
                f"(single linkage; per cent: frames labelled right). ORACLE split uses the true boundaries, as the "
                f"published script does; no oracle does not. {made}",
            ),
            Picture(
                MOF,
                "Frames labelled right, for every way of using the true boundaries: windows to train on that keep to "
                "one true segment, windows to decode that do, and frames that were not decoded filled from their own "
                f"true segment. {made}",
            ),
        ),
        tables=(_table(results, variants, online, largest, made),),
        figures=figures,
    )


def _one(found: Sequence[Segmented], variant: Variant, linkage: str) -> Segmented:
    return next(one for one in found if one.variant == variant and one.linkage == linkage)


def _table(
    results: Sequence[tuple[Take, Sequence[Segmented]]],
    variants: Sequence[Variant],
    online: Mapping[str, tuple[Scores, NDArray[np.int64]]],
    largest: Sequence[float],
    made: str,
) -> Table:
    columns = ("take", "variant", "linkage", "MoF", "ARI", "AMI", "V-measure (= NMI)")
    rows: list[tuple[str | float | int, ...]] = []
    for (take, found), share in zip(results, largest, strict=True):
        for variant in variants:
            for linkage in ("single", "average"):
                scores = _one(found, variant, linkage).scores
                rows.append((take.name, variant.name, linkage, *_row(scores)))
        rows.append((take.name, _LARGEST, "-", share, 0.0, 0.0, 0.0))
        if online:
            rows.append((take.name, _ONLINE, "-", *_row(online[take.name][0])))
    return Table(columns, tuple(rows), f"Agreement with the annotation over all frames of each take. {made}")


def _row(scores: Scores) -> tuple[float, float, float, float]:
    return scores.mof, scores.ari, scores.ami, scores.v_measure

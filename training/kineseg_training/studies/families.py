"""The models that the studies share, by name: trained where need be, or found where they were trained before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from kineseg_training.data import Clip, Corpus, Source, cmu_actions
from kineseg_training.data.labelled import LabelledClips
from kineseg_training.default import recipe
from kineseg_training.default.recipe import EXPORT
from kineseg_training.default.trained import fit
from kineseg_training.errors import SettingsError
from kineseg_training.export.families import Family, FamilySettings, export_family
from kineseg_training.models import Seq2Seq
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.das_2023.trained import load_stgcn, trained_stgcn
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.srivastava_2015.trained import load_composite, trained_composite
from kineseg_training.studies.su_shlizerman_2019.task import normalisation
from kineseg_training.studies.su_shlizerman_2019.trained import CANONICAL_PRESETS, load_su, trained_su


@dataclass(frozen=True, eq=False)
class Subject:
    """Something whose states are looked at.

    Attributes:
        name: As on the command line.
        title: As in pictures and tables.
        model: In eval mode; None: the poses themselves.
    """

    name: str
    title: str
    model: nn.Module | None


def subject(name: str, context: RunContext, train: LabelledClips) -> Subject:
    """The subject of this name, trained on `train` if it is not there yet.

    Raises:
        SettingsError: There is none.
    """
    check_subjects([name])
    title, make = _SUBJECTS[name]
    return Subject(name, title, make(context, train))


def check_subjects(names: Sequence[str]) -> None:
    """Raises SettingsError: a name that there is not, one twice, or none at all."""
    unknown = sorted(set(names) - _SUBJECTS.keys())
    if unknown:
        raise SettingsError(f"models: there is no {', '.join(unknown)}; there are {', '.join(_SUBJECTS)}")
    if not names or len(set(names)) < len(names):
        raise SettingsError(f"models: name each once, and one at least, of {', '.join(_SUBJECTS)}")


def trained_seq2seq(context: RunContext, train: LabelledClips) -> Seq2Seq:
    """The predictor of the bundle that the service ships, trained by its recipe on the clips given."""
    settings = recipe.FIT
    if context.preset == "tiny":
        settings = replace(settings, hidden=16, source=12, target=6, shortest_source=4, batch=8, steps=4, epochs=2)
    settings = replace(settings, seed=context.seed)
    corpus = Corpus(
        tuple(Clip(clip.name, clip.frames, train.rate) for clip in train.clips),
        train.channels,
        train.fingerprint,
        Source(),
    )
    folder = context.models / "seq2seq"
    return fit(corpus, settings, folder, device=context.device, resume=True, progress=context.progress).model


def _untrained(context: RunContext, train: LabelledClips) -> nn.Module:
    torch.manual_seed(context.seed)
    model = TiedSeq2Seq(TiedSettings(len(train.channels), CANONICAL_PRESETS[context.preset].hidden))
    model.set_normalisation(*normalisation([clip.frames for clip in train.clips]))
    return model.eval()


_SUBJECTS: dict[str, tuple[str, Callable[[RunContext, LabelledClips], nn.Module | None]]] = {
    "su": ("tied GRU (Su & Shlizerman)", lambda context, train: trained_su(context)),
    "seq2seq": ("GRU of the service", trained_seq2seq),
    "composite": ("composite LSTM", lambda context, train: trained_composite(context)),
    "untrained": ("untrained GRU", _untrained),
    "pose": ("pose itself", lambda context, train: None),
}
SUBJECTS = tuple(_SUBJECTS)


# How a model of each family is trained for a place, and how it is read from a run.
FAMILIES: dict[str, tuple[Callable[[RunContext], Family], Callable[[Path], Family]]] = {
    "su": (trained_su, load_su),
    "composite": (trained_composite, load_composite),
    "stgcn": (trained_stgcn, load_stgcn),
}


def family_bundle(context: RunContext, family: str) -> Path:
    """The bundle of a family's model in the place's preset, made unless it is there.

    Raises:
        SettingsError: No such family.
        DataError: There are no CMU clips.
    """
    check_family(family)
    out = context.models / "bundles" / f"{family}.zip"
    if not out.is_file():
        train, held_out = cmu_actions(context.needs_cmu())
        export_family(FAMILIES[family][0](context), train, held_out, out, described(family))
    return out


def described(family: str, **settings: object) -> FamilySettings:
    """Settings of a bundle of models that were trained on the CMU clips, with what these ask to be said."""
    known = {"name": family, "description": EXPORT.description, "licence": EXPORT.licence}
    return FamilySettings(**known | settings)  # type: ignore[arg-type]  # plain options of a command


def check_family(family: str) -> None:
    """Refuse what is not a family.

    Raises:
        SettingsError: It is not.
    """
    if family not in FAMILIES:
        raise SettingsError(f"family: there is no {family!r}; there are {', '.join(FAMILIES)}")

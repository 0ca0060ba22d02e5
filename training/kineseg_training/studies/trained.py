"""The bundles of all families as the experiments use them: trained where need be, exported once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kineseg_training.data import cmu_actions
from kineseg_training.default.recipe import EXPORT
from kineseg_training.errors import SettingsError
from kineseg_training.export.families import Family, FamilySettings, export_family
from kineseg_training.studies.das_2023.trained import load_stgcn, trained_stgcn
from kineseg_training.studies.exhibit import Place
from kineseg_training.studies.srivastava_2015.trained import load_composite, trained_composite
from kineseg_training.studies.su_shlizerman_2019.trained import load_su, trained_su

# How a model of each family is trained for a place, and how it is read from a run.
FAMILIES: dict[str, tuple[Callable[[Place], Family], Callable[[Path], Family]]] = {
    "su": (trained_su, load_su),
    "composite": (trained_composite, load_composite),
    "stgcn": (trained_stgcn, load_stgcn),
}


def family_bundle(place: Place, family: str) -> Path:
    """The bundle of a family's model in the place's preset, made unless it is there.

    Raises:
        SettingsError: No such family.
        DataError: There are no CMU clips.
    """
    check_family(family)
    out = place.models / "bundles" / f"{family}.zip"
    if not out.is_file():
        train, held_out = cmu_actions(place.needs_cmu())
        export_family(FAMILIES[family][0](place), train, held_out, out, described(family))
    return out


def described(family: str, **settings: object) -> FamilySettings:
    """Settings of a bundle of models that were trained on the CMU clips, with what these ask to be said."""
    told = {"name": family, "description": EXPORT.description, "licence": EXPORT.licence}
    return FamilySettings(**told | settings)  # type: ignore[arg-type]  # plain options of a command


def check_family(family: str) -> None:
    """Refuse what is not a family.

    Raises:
        SettingsError: It is not.
    """
    if family not in FAMILIES:
        raise SettingsError(f"family: there is no {family!r}; there are {', '.join(FAMILIES)}")

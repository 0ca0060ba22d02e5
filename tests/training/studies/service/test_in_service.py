"""What the exhibit about the service is made of, at small size: costs in turns, and names on a take."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from kineseg.motion import CANONICAL_CHANNELS
from kineseg_training.data import cmu_actions
from kineseg_training.errors import SettingsError
from kineseg_training.export.families import FamilySettings, export_family
from kineseg_training.export.step import read_bundle
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.families import FAMILIES, family_bundle
from kineseg_training.studies.service.families.run import names_of, step_costs
from kineseg_training.studies.service.faults.detect import load_takes


@pytest.fixture(scope="module")
def recogniser(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the report makes it, in its tiny preset."""
    out = tmp_path_factory.mktemp("report") / "in-service"
    out.mkdir()
    return family_bundle(RunContext(out, "tiny", cmu_folder, progress=False), "stgcn")


def test_a_family_s_bundle_is_made_of_its_trained_model(recogniser: Path, cmu_folder: Path) -> None:
    manifest = read_bundle(recogniser).manifest
    assert manifest.family == "stgcn"
    assert tuple(manifest.classes) == cmu_actions(cmu_folder)[0].actions
    assert (recogniser.parents[1] / "stgcn" / "last.pt").is_file()
    with pytest.raises(SettingsError, match="there is no 'transformer'; there are su, composite, stgcn"):
        family_bundle(RunContext(recogniser.parent, "tiny", cmu_folder), "transformer")
    assert set(FAMILIES) == {"su", "composite", "stgcn"}


def test_what_each_model_costs_is_measured(cmu_folder: Path, tmp_path: Path) -> None:
    clips = tuple(part.only(("basketball", "running")) for part in cmu_actions(cmu_folder))
    bundles = {}
    for hidden in (16, 32):
        torch.manual_seed(0)
        model = TiedSeq2Seq(TiedSettings(len(CANONICAL_CHANNELS), hidden))
        settings = FamilySettings(f"h{hidden}")
        bundles[str(hidden)] = export_family(model, *clips, tmp_path / f"{hidden}.zip", settings)
    costs = step_costs(bundles)
    assert costs.keys() == bundles.keys()
    assert all(cost > 0.0 for of_model in costs.values() for cost in of_model.values())


def test_names_are_counted_against_the_annotation(recogniser: Path, cmu_folder: Path) -> None:
    (take,) = load_takes(cmu_folder / "subject_86", ["03"])
    named = names_of(recogniser, [take])
    assert named.known_s + named.unknown_s == pytest.approx(take.duration_s, abs=0.1)
    assert 0.0 <= named.right + named.wrong <= 1.0 + 1e-9
    assert 0.0 <= named.kept_unknown <= 1.0

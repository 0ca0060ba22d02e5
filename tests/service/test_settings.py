"""Settings: arguments over environment over file, and what is wrong is named."""

import math
import os
from pathlib import Path
from typing import Any

import pytest
from kineseg_service.config import Settings
from pydantic import ValidationError

from tests.service.conftest import Serve
from tests.service.talk import cut, events, motion, segment


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kineseg.toml"
    file.write_text('port = 1\nhost = "127.0.0.2"\nmax_batch = 3\nbundles = ["a", "b.zip"]\n', encoding="utf-8")
    monkeypatch.setenv("KINESEG_HOST", "127.0.0.3")
    monkeypatch.setenv("KINESEG_MAX_BATCH", "4")
    settings = Settings(config_file=file, max_batch=5)
    assert (settings.port, settings.host, settings.max_batch) == (1, "127.0.0.3", 5)
    assert settings.bundles == (Path("a"), Path("b.zip"))
    monkeypatch.setenv("KINESEG_CONFIG_FILE", str(file))
    assert Settings().port == 1


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def numbers() -> dict[str, list[float]]:
    """The least and the most that each setting which is a number may be."""
    schema = Settings.model_json_schema()
    found = {}
    for prefix, fields in (("", schema), ("limits.", schema["$defs"]["LimitSettings"])):
        for name, field in fields["properties"].items():
            for form in field.get("anyOf", [field]):
                if form.get("type") in ("integer", "number"):
                    found[prefix + name] = [form["minimum"], form["maximum"]]
    return found


def setting(name: str, value: object) -> dict[str, object]:
    group, _, field = name.rpartition(".")
    return {group: {field: value}} if group else {name: value}


@pytest.mark.parametrize("name", numbers())
def test_every_number_has_bounds_and_what_is_outside_is_named(name: str) -> None:
    least, most = numbers()[name]
    for allowed in (least, most):
        Settings(**setting(name, allowed))
    below, above = math.nextafter(least, -math.inf), math.nextafter(most, math.inf)
    for refused in (below, above, -math.inf, math.inf, math.nan, -1e300, 1e300, "many"):
        with pytest.raises(ValidationError, match=name):
            Settings(**setting(name, refused))


@pytest.mark.parametrize("at_most", [False, True])
def test_a_server_runs_at_the_bounds_of_its_settings(serve: Serve, tiny: Path, at_most: bool) -> None:
    # One process, as this one is a server already; none of its threads may take more cores than there are.
    other = {"port", "metrics_port", "processes", "intra_op_threads"}
    # With as little as these may be, nothing is let in, or it does not wait for one that is slow to send.
    if not at_most:
        other |= {"limits.streams", "limits.watchers", "limits.opens_per_s", "limits.frames_per_s"}
        other |= {"limits.bytes_per_s", "idle_timeout_s", "opening_timeout_s"}
    settings: dict[str, Any] = {"limits": {}}
    for name, bounds in numbers().items():
        if name not in other:
            value = bounds[at_most]
            group, _, field = name.rpartition(".")
            (settings[group] if group else settings)[field] = value
    chunk_frames = min(settings["max_chunk_frames"], 20)
    with serve(tiny, **settings) as (_, stub):
        frames = motion(60)
        emitted = events(segment(stub, cut(frames, rest=chunk_frames)))
        assert emitted[-1].summary.frames == len(frames)


@pytest.mark.parametrize("name", ["", "A lab", "-lab", "x" * 33])
def test_limits_of_what_can_be_no_tenant_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no tenant"):
        Settings(tenants={name: {"streams": 1}})


def test_a_store_whose_port_is_none_is_named() -> None:
    with pytest.raises(ValidationError, match=r"store: .*Port"):
        Settings(store="redis://:secret@localhost:99999", store_key=Path("key"))


@pytest.mark.parametrize("bad", [{"port": 70000}, {"max_batch": 0}, {"provider": "tpu"}, {"prot": 1}])
def test_what_is_wrong_is_named(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(bad))):
        Settings(**bad)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_a_file_that_is_not_there_or_holds_unknown_settings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"config_file: there is no file .*missing\.toml"):
        Settings(config_file=tmp_path / "missing.toml")
    file = tmp_path / "typo.toml"
    file.write_text("prot = 1\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="prot"):
        Settings(config_file=file)


def test_bundles_and_no_metrics_can_be_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINESEG_BUNDLES", os.pathsep.join(["one", "two.zip"]))
    monkeypatch.setenv("KINESEG_METRICS_PORT", "none")
    settings = Settings()
    assert settings.bundles == (Path("one"), Path("two.zip"))
    assert settings.metrics_port is None

"""Settings: arguments over environment over file, and what is wrong is named."""

import os
from pathlib import Path

import pytest
from kineseg_service.config import Settings
from pydantic import ValidationError


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

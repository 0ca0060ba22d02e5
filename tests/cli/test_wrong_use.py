"""Wrong use: one clear line, the right exit status, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Command, Outcome


def error_line(outcome: Outcome) -> str:
    """The one line on standard error."""
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("kineseg: ")
    return line


def test_no_such_file(kineseg: Command, tmp_path: Path) -> None:
    outcome = kineseg("segment", tmp_path / "nothing.bvh")
    assert outcome.status == 2
    assert str(tmp_path / "nothing.bvh") in error_line(outcome)


@pytest.mark.parametrize("command", ["segment", "demo"])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("broken.bvh", "HIERARCHY\nROOT Hips\n{\n", "broken.bvh"),
        ("words.csv", "a,b\n1,2\n3,many\n", "words.csv, line 3"),
        ("notes.docx", "hello", "notes.docx"),
        ("empty.csv", "", "empty.csv"),
    ],
)
def test_files_that_are_no_motion(
    kineseg: Command, tmp_path: Path, command: str, name: str, content: str, expected: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    options = ["--out", tmp_path / "out"] if command == "demo" else []
    outcome = kineseg(command, path, "--rate", 30, *options)
    assert outcome.status == 2
    assert expected in error_line(outcome)
    assert not (tmp_path / "out").exists()


def test_channels_that_the_model_does_not_know(kineseg: Command, tmp_path: Path) -> None:
    path = tmp_path / "sensor.csv"
    path.write_text("current,voltage\n" + "1,2\n" * 50)
    outcome = kineseg("segment", path, "--rate", 30)
    assert outcome.status == 2
    line = error_line(outcome)
    assert "sensor" in line
    assert "current, voltage" in line
    assert "--bundle" in line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--model", "nobody"], "no model 'nobody'; it has: motion"),
        (["--latency", "99"], "--latency must be 0.5 to 10 seconds"),
        (["--threshold", "1"], "--threshold must be 0.01 to 0.99, got 1"),
        (["--alarms-per-hour", "0"], "--alarms-per-hour must be 0.01 to 1000, got 0"),
        (["--reports-per-hour", "0"], "--reports-per-hour must be 0.01 to 1000, got 0"),
        (["--rate", "0"], "expected a positive number"),
        (["--plot", "timeline.gif"], "must end in one of .png"),
        (["--out", "nowhere/events.jsonl"], "there is no folder nowhere"),
        (["--labels", "."], "that is a folder"),
        (["--labels", "-"], "does not go to standard output"),
        (["--out", "a", "--labels", "./a"], "--labels a: that is --out, too"),
        (["--bundle", "nowhere"], "nowhere"),
        (["--server", "localhost:1", "--bundle", "x"], "leave it out with --server"),
    ],
)
def test_options_that_cannot_be(kineseg: Command, motion_file: Path, options: list[str], expected: str) -> None:
    outcome = kineseg("segment", motion_file, *options)
    assert outcome.status == 2
    assert expected in error_line(outcome)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((("play", "--to", "ndjson+udp://127.0.0.1:9"), f"--{name}") for name in ("speed", "noise", "loss", "jitter")),
        *((("play", "--to", "ndjson+udp://127.0.0.1:9"), f"--{name}") for name in ("burst", "restart-every", "seed")),
        (("stream", "ndjson+udp://127.0.0.1:9"), "--duration"),
        (("demo",), "--speed"),
        (("demo",), "--seed"),
        (("batch", "nothing.bvh", "--out", "x.parquet"), "--workers"),
        (("tune", "nothing.bvh", "--labels", "nothing.csv"), "--tolerance"),
        (("health", "--server", "localhost:1"), "--timeout"),
        (("label", "teach", "walk"), "--segment"),
    ],
)
def test_numbers_have_bounds_on_both_sides(kineseg: Command, command: tuple[str, ...], option: str) -> None:
    for value in ("nan", "inf", "-1", "1e300", "-1e300", "many"):
        outcome = kineseg(*command, option, value)
        assert (outcome.status, outcome.out) == (2, "")
        assert f"Invalid value for '{option}'" in outcome.err


def test_no_command_writes_over_what_it_reads(kineseg: Command, motion_file: Path) -> None:
    before = motion_file.read_bytes()
    for command in (["segment", motion_file], ["tune", motion_file, "--labels", motion_file]):
        outcome = kineseg(*command, "--out", motion_file)
        assert outcome.status == 2
        assert "name another file" in error_line(outcome)
    assert motion_file.read_bytes() == before


def test_a_recording_of_something_else_says_what_helps(kineseg: Command, tmp_path: Path) -> None:
    file = tmp_path / "sensors.csv"
    file.write_text("time,voltage,current\n" + "".join(f"{i / 50},{i},{-i}\n" for i in range(100)))
    outcome = kineseg("segment", file)
    assert outcome.status == 2
    for part in ("sensors.csv", "'motion'", "voltage", "--model scratch", "--bundle"):
        assert part in error_line(outcome)


def test_a_server_that_is_not_there(kineseg: Command, motion_file: Path) -> None:
    outcome = kineseg("models", "--server", "127.0.0.1:1")
    assert outcome.status == 1  # the command was right
    assert "127.0.0.1:1" in error_line(outcome)


def test_debug_shows_where(kineseg: Command, tmp_path: Path) -> None:
    outcome = kineseg("--debug", "segment", tmp_path / "nothing.bvh")
    assert outcome.status == 2
    assert "Traceback" in outcome.err


def test_unknown_commands_and_options(kineseg: Command) -> None:
    assert kineseg("segmnt").status == 2
    assert kineseg("segment", "x.bvh", "--colour").status == 2
    assert kineseg("demo", "--speed", "0").status == 2


def test_settings_that_cannot_be(kineseg: Command, tmp_path: Path) -> None:
    outcome = kineseg("serve", "--port", "123456")
    assert outcome.status == 2
    assert "port" in error_line(outcome)
    assert "no file" in error_line(kineseg("serve", "--config", tmp_path / "none.toml"))
    (tmp_path / "wrong.toml").write_text("port: 0\n")
    assert "wrong.toml is not TOML" in error_line(kineseg("serve", "--config", tmp_path / "wrong.toml"))
    (tmp_path / "strange.toml").write_text("colour = 3\n")
    assert "colour: there is no such setting" in error_line(kineseg("serve", "--config", tmp_path / "strange.toml"))
    (tmp_path / "several.toml").write_text('max_sessions = "many"\nstore_interval_s = 0\nlog_level = "loud"\n')
    said = error_line(kineseg("serve", "--config", tmp_path / "several.toml"))
    assert "max_sessions: must be a whole number, got 'many'" in said
    assert "store_interval_s: must be at least 0.1, got '0'" in said
    assert "log_level: must be 'debug', 'info', 'warning' or 'error', got 'loud'" in said
    for option, value, says in [
        ("--model", "dance", "default_model is 'dance'"),
        ("--store-key", "no", "store_key: no"),
    ]:
        outcome = kineseg("serve", "--port", "0", "--metrics-port", "-1", option, value)
        assert outcome.status == 2
        assert outcome.err.splitlines()[-1].startswith(f"kineseg: {says}")


def test_frame_rates_that_no_stream_has(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    line = error_line(kineseg("segment", motion_file, "--rate", "5000"))
    assert str(motion_file) in line
    assert "1 to 1000" in line
    (tmp_path / "untimed.csv").write_text("a,b\n1,2\n3,4\n")
    assert "--rate" in error_line(kineseg("segment", tmp_path / "untimed.csv"))


def test_the_help_names_defaults(kineseg: Command) -> None:
    assert "Default: 50051." in kineseg("serve", "--help").out


def without(missing: str, *arguments: object) -> tuple[int, str]:
    """Status and the one line of a command where a module cannot be imported, as if it were not installed."""
    names = [str(argument) for argument in arguments]
    program = f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = {names!r}\n"
    program += "from kineseg_cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return done.returncode, line


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_plain_install_names_the_extra_of_the_command(missing: str) -> None:
    status, line = without(missing, "--help")
    assert status == 2
    assert 'pip install "kineseg[cli]"' in line


@pytest.mark.parametrize("missing", ["grpc_health", "pydantic_settings", "structlog", "onnxruntime", "river"])
def test_what_serves_in_this_process_names_its_extra(missing: str, motion_file: Path) -> None:
    status, line = without(missing, "serve")
    assert (status, 'pip install "kineseg[service]"' in line, missing in line) == (2, True, True)
    status, line = without(missing, "segment", motion_file)
    assert (status, 'pip install "kineseg[service]"' in line, "--server" in line) == (2, True, True)


@pytest.mark.parametrize("missing", ["matplotlib", "scipy"])
def test_what_draws_names_its_extra_before_the_work(missing: str, motion_file: Path, tmp_path: Path) -> None:
    status, line = without(missing, "segment", motion_file, "--plot", tmp_path / "a.png")
    assert (status, 'pip install "kineseg[plot]"' in line) == (2, True)
    status, line = without(missing, "demo", "--out", tmp_path / "out")
    assert (status, 'pip install "kineseg[service,plot]"' in line) == (2, True)


def test_version_without_a_runtime_says_so() -> None:
    program = (
        "import sys; sys.modules['onnxruntime'] = None\nfrom kineseg_cli.app import run\nsys.exit(run(['version']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ONNX Runtime not installed" in done.stdout

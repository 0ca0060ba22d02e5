"""Executes the steps of deploy/docker/Dockerfile without a container engine, and starts what they make.

    sudo python deploy/check/image.py [--work FOLDER] [--keep]

The base image, which comes from a registry of containers, is stood for by a Debian with Python that `debootstrap`
unpacks. Every instruction is done in such a root; what is made then runs as the image's user, with nothing to write on
but a volume and /tmp: the health check turns good, a stream is segmented, and SIGTERM ends it. Takes minutes, and some
GB.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Arguments: the root, USER:GROUP, and a command. The network's names and certificates are those of this machine.
_BUILD = f"""
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
mount --bind {_CERTIFICATES} "$1{_CERTIFICATES}"
exec chroot --userspec="$2" "$1" "${{@:3}}"
"""
# Arguments: the root, a volume, where it is to be, USER:GROUP, and a command.
_START = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1$3"
exec chroot --userspec="$4" "$1" "${@:5}"
"""


@dataclass
class Stage:
    """One stage of the image while it is made."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def run(self, command: list[str], *, extra: dict[str, str] | None = None) -> None:
        """Runs a command within, with the network and the certificates of this machine."""
        environment = {**self.environment, **self.arguments, **(extra or {})}
        inside = [
            "/usr/bin/env",
            "-i",
            f"--chdir={self.folder}",
            *(f"{k}={v}" for k, v in environment.items()),
            *command,
        ]
        (self.root / "etc/resolv.conf").touch()
        subprocess.run(["unshare", "--mount", "bash", "-c", _BUILD, "bash", self.root, self.user, *inside], check=True)

    def path(self, text: str) -> Path:
        """A path within."""
        place = text if text.startswith("/") else f"{self.folder}/{text}"
        return self.root / place.lstrip("/")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: comments are none, and lines that end with a backslash go on."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    words = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, rest in words]


class Image:
    """An image that is made stage by stage.

    Args:
        base: The root that stands for the base image.
        work: Folder for the stages.
        arguments: Build arguments.
    """

    def __init__(self, base: Path, work: Path, arguments: dict[str, str]) -> None:
        self._base = base
        self._work = work
        self._given = arguments
        self._stages: dict[str, Stage] = {}
        self._stage: Stage | None = None

    def make(self, text: str) -> Stage:
        """Does all that a Dockerfile says; its last stage."""
        for name, rest in instructions(text):
            print(f"--> {name} {rest[:110]}", flush=True)
            if name == "FROM":
                self._from(rest)
            else:
                assert self._stage is not None
                getattr(self, f"_{name.lower()}")(self._stage, rest)
        assert self._stage is not None
        return self._stage

    def _from(self, rest: str) -> None:
        _, _, called = rest.partition(" AS ")
        number = len(self._stages)
        root = self._work / f"stage-{number}"
        subprocess.run(["cp", "-a", "--reflink=auto", self._base, root], check=True)
        self._stage = self._stages[called or str(number)] = Stage(root)

    def _arg(self, stage: Stage, rest: str) -> None:
        name, _, default = rest.partition("=")
        stage.arguments[name] = self._given.get(name, default)

    def _env(self, stage: Stage, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            stage.environment[name] = re.sub(r"\$(\w+)", lambda found: stage.environment.get(found[1], ""), value)

    def _workdir(self, stage: Stage, rest: str) -> None:
        stage.folder = rest
        stage.path(rest).mkdir(parents=True, exist_ok=True)

    def _copy(self, stage: Stage, rest: str) -> None:
        *options, _ = words = shlex.split(rest)
        source = ROOT
        if options and options[0].startswith("--from="):
            source = self._stages[words.pop(0).removeprefix("--from=")].root
        *froms, to = words
        for each in froms:
            origin, target = source / each.lstrip("/"), stage.path(to)
            if origin.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                ignored = shutil.ignore_patterns("__pycache__") if source == ROOT else None
                shutil.copytree(origin, target, symlinks=True, dirs_exist_ok=True, ignore=ignored)
            else:
                if to.endswith("/"):
                    target.mkdir(parents=True, exist_ok=True)
                    target /= origin.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, target)

    def _run(self, stage: Stage, rest: str) -> None:
        passed = {name: value for name, value in os.environ.items() if name.startswith(("PIP_INDEX", "UV_INDEX"))}
        trusted = {"PIP_CERT": _CERTIFICATES, "SSL_CERT_FILE": _CERTIFICATES}
        stage.run(["/bin/sh", "-ec", rest], extra=passed | trusted)

    def _user(self, stage: Stage, rest: str) -> None:
        stage.user = rest

    def _entrypoint(self, stage: Stage, rest: str) -> None:
        stage.entrypoint = json.loads(rest)

    def _cmd(self, stage: Stage, rest: str) -> None:
        stage.command = json.loads(rest)

    def _healthcheck(self, stage: Stage, rest: str) -> None:
        stage.health = json.loads(rest.partition(" CMD ")[2])

    def _label(self, stage: Stage, rest: str) -> None:
        """Says nothing to who runs it."""

    _expose = _label


def start(stage: Stage, command: list[str], environment: dict[str, str], data: Path) -> subprocess.Popen[bytes]:
    """Starts a command as a container does: the root read-only, /tmp in memory, and a volume in the working folder."""
    known = {**stage.environment, **environment}
    inside = ["/usr/bin/env", "-i", f"--chdir={stage.folder}", *(f"{k}={v}" for k, v in known.items()), *command]
    return subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", _START, "bash", stage.root, data, stage.folder, stage.user, *inside]
    )


def try_out(stage: Stage, data: Path) -> None:
    """Runs what has been made."""
    uid, gid = map(int, stage.user.split(":"))
    assert uid > 0, "the image runs as root"
    os.chown(data, uid, gid)
    ports = {"KINESEG_PORT": "50951", "KINESEG_METRICS_PORT": "50952"}
    refused = start(stage, [*stage.entrypoint, *stage.command], ports, data)
    assert refused.wait(120) != 0, "it listens for other machines without TLS"
    began = time.monotonic()
    settings = {
        **ports,
        "KINESEG_INSECURE": "true",
        "KINESEG_LABEL_BANK": f"{stage.folder}/names.json",
        "KINESEG_MAX_SESSIONS": "32",
    }
    server = start(stage, [*stage.entrypoint, *stage.command], settings, data)
    try:
        while start(stage, stage.health, settings, data).wait(60) != 0:
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() - began < 300, "it does not become healthy"
            time.sleep(0.5)
        print(f"healthy after {time.monotonic() - began:.1f} s")
        demo = [
            *stage.entrypoint,
            "stream",
            "file:/opt/check/take.npz?speed=0",
            "--server",
            "127.0.0.1:50951",
            "--out",
            "events.jsonl",
        ]
        assert start(stage, demo, {}, data).wait(300) == 0, "a stream fails"
        kinds = [json.loads(line)["kind"] for line in (data / "events.jsonl").read_text().splitlines()]
        print(f"{len(kinds)} events, {kinds.count('segment_closed')} segments")
        assert kinds[-1] == "summary"
        assert kinds.count("segment_closed") > 1
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
    assert status == 0, f"it ends with status {status}"


def size(folder: Path) -> float:
    """In MB."""
    done = subprocess.run(["du", "--summarize", "--block-size=1M", folder], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="Folder that keeps the unpacked Debian for the next time.")
    parser.add_argument("--keep", action="store_true", help="Keep what has been made there, too.")
    chosen = parser.parse_args()
    missing = [program for program in ("debootstrap", "unshare", "chroot") if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        print(f"skipped: {'it needs root' if not missing else f'without {missing[0]}'}")
        return 0
    work = chosen.work or Path(tempfile.mkdtemp(prefix="kineseg-image-"))
    work.mkdir(parents=True, exist_ok=True)
    base = work / "base"
    try:
        if not (base / "usr/bin/python3").exists():
            subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", base], check=True)
        for old in work.glob("stage-*"):
            shutil.rmtree(old)
        stage = Image(base, work, {}).make(DOCKERFILE.read_text(encoding="utf-8"))
        print(f"the image adds {size(stage.root) - size(base):.0f} MB to its base")
        data = work / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        take = stage.root / "opt/check"
        take.mkdir()
        make = (
            "import numpy as np; from kineseg.motion import generate; m = generate(3, rate=30.0);"
            "np.savez('/opt/check/take.npz', positions=m.positions, rate=m.rate, joints=np.array(m.joints))"
        )
        user, stage.user = stage.user, "0:0"
        stage.run(["python", "-c", make])
        stage.user = user
        try_out(stage, data)
    finally:
        if not chosen.keep:
            for made in [*work.glob("stage-*"), work / "data", *([] if chosen.work else [work])]:
                shutil.rmtree(made, ignore_errors=True)
    print("the image starts, segments and ends")
    return 0


if __name__ == "__main__":
    sys.exit(main())

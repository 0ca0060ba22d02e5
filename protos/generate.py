"""Generates the Python stubs of every contract into the SDK, or checks that they are current.

`make protos` and `make stubs` run it in the environment that requirements.txt beside it describes:

python protos/generate.py            write clients/python/kineseg/v1
python protos/generate.py --check    exit with 1 if what stands there differs from what would be written
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
STUBS = PROTOS.parent / "clients" / "python" / "kineseg" / "v1"
HEADER = '"""Generated from protos/kineseg/v1 by `make protos`: do not edit."""\n'


def check_tools() -> None:
    """Other versions would make other stubs, and newer ones such as old libraries refuse."""
    for line in (PROTOS / "requirements.txt").read_text().splitlines():
        name, _, wanted = line.partition("==")
        if name not in ("grpcio-tools", "mypy-protobuf"):
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            sys.exit(f"stubs are made with {name} {wanted}, which is {found} here: run `make protos` or `make stubs`")


def generate(root: Path) -> Path:
    """Writes the stubs below `root` and returns their folder."""
    from grpc_tools import protoc

    sources = sorted(str(p) for p in (PROTOS / "kineseg" / "v1").glob("*.proto"))
    plugins = Path(sys.executable).parent
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            f"--python_out={root}",
            f"--grpc_python_out={root}",
            f"--mypy_out=quiet:{root}",
            f"--mypy_grpc_out=quiet:{root}",
            *sources,
        ]
    )
    if status:
        sys.exit(status)
    folder = root / "kineseg" / "v1"
    (folder / "__init__.py").write_text(HEADER)
    # A proto without a service yields an empty gRPC module.
    for source in (PROTOS / "kineseg" / "v1").glob("*.proto"):
        if "\nservice " not in source.read_text(encoding="utf-8"):
            for empty in folder.glob(f"{source.stem}_pb2_grpc.py*"):
                empty.unlink()
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    check_tools()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(Path(scratch))
        names = {p.name for p in fresh.iterdir()} | {p.name for p in STUBS.glob("*.py*")}
        stale = sorted(names - set(filecmp.cmpfiles(fresh, STUBS, names, shallow=False)[0]))
        if check:
            if stale:
                sys.exit(f"stubs are not current: {', '.join(stale)}; run `make protos` and commit the result")
            return
        STUBS.mkdir(exist_ok=True)
        for name in names - {p.name for p in fresh.iterdir()}:
            (STUBS / name).unlink()
        for source in fresh.iterdir():
            (STUBS / source.name).write_bytes(source.read_bytes())


if __name__ == "__main__":
    main()

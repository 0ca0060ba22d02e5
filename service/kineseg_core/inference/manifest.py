"""What a bundle says about itself, and what it may say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2

from kineseg_core.errors import BadBundle, InvalidRequest
from kineseg_core.inference.bundle_files import MANIFEST
from kineseg_core.naming.bank import check_name

SCHEMA_VERSION = 1
_MOST_CLASSES = 4096
# Numbers of one stream: they are kept for as many as may be open.
_MOST_CHANNELS, _MOST_EMBEDDING, _MOST_STATE = 4096, 65_536, 1 << 20
_NAME = re.compile(r"[a-z0-9-]{1,64}")


def parse_manifest(path: Path, text: bytes) -> bundle_pb2.BundleManifest:
    """The manifest of the bundle at that path.

    Raises:
        BadBundle: It is of another schema, or says what cannot be.
    """

    def refuse(reason: str) -> BadBundle:
        return BadBundle(path, MANIFEST, reason)

    try:
        content = json.loads(text)
    except ValueError as error:
        raise refuse(f"does not follow the schema of a bundle manifest ({error})") from error
    # Before the rest: in another schema anything else may be different.
    if reason := _other_schema(content.get("schema_version") if isinstance(content, dict) else None):
        raise refuse(reason)
    try:
        manifest = json_format.Parse(text, bundle_pb2.BundleManifest())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise refuse(f"does not follow the schema of a bundle manifest ({error})") from error
    if not _NAME.fullmatch(manifest.name):
        raise refuse(f"name {manifest.name!r} must be 1 to 64 lower-case letters, digits or '-'")
    if not manifest.version:
        raise refuse("version is missing")
    names = [channel.name for channel in manifest.channels]
    if not names or not all(names) or len(set(names)) != len(names):
        raise refuse("channels must be named, each by a name of its own")
    if len(names) > _MOST_CHANNELS:
        raise refuse(f"it has {len(names)} channels, at most {_MOST_CHANNELS} are allowed")
    if not 1 <= manifest.frame_rate_hz <= 1000:
        raise refuse(f"frame_rate_hz is {manifest.frame_rate_hz}, it must be 1 to 1000")
    if not 1 <= manifest.embedding_dim <= _MOST_EMBEDDING:
        raise refuse(f"embedding_dim is {manifest.embedding_dim}, it must be 1 to {_MOST_EMBEDDING}")
    if not manifest.state or any(part.size < 1 for part in manifest.state):
        raise refuse("state must have at least one part, each of size 1 or more")
    if sum(part.size for part in manifest.state) > _MOST_STATE:
        raise refuse(f"state has more than {_MOST_STATE} numbers a stream")
    if not 0 < manifest.golden_tolerance < 1:
        raise refuse(f"golden_tolerance is {manifest.golden_tolerance}, it must be above 0 and below 1")
    if not (manifest.calibration.log_surprise_scale > 0 and np.isfinite(manifest.calibration.log_surprise_median)):
        raise refuse("calibration must have a finite log_surprise_median and a log_surprise_scale above 0")
    norm = manifest.normalization
    if len(norm.mean) != len(names) or len(norm.scale) != len(names) or not all(scale > 0 for scale in norm.scale):
        raise refuse(f"normalization must have a mean and a scale above 0 for each of the {len(names)} channels")
    _check_classes(refuse, list(manifest.classes))
    return manifest


def _other_schema(version: object) -> str:
    """What is wrong with a manifest of this schema version, and what helps; empty: nothing."""
    if type(version) is int and version == SCHEMA_VERSION:
        return ""
    if type(version) is int and version > SCHEMA_VERSION:
        return (
            f"schema_version is {str(version)[:80]}, newer than {SCHEMA_VERSION}, which this kineseg reads: "
            "update kineseg, or use a bundle that was exported for this version"
        )
    said = "it has no schema_version" if version is None else f"schema_version is {str(version)[:80]}"
    return f"{said}, and this kineseg reads {SCHEMA_VERSION}: export the bundle again"


def _check_classes(refuse: Callable[[str], BadBundle], classes: Sequence[str]) -> None:
    if len(classes) == 1 or len(classes) > _MOST_CLASSES:
        raise refuse(f"classes has {len(classes)} names; a recogniser has 2 to {_MOST_CLASSES}, other models none")
    if len(set(classes)) != len(classes):
        raise refuse("classes must be named, each by a name of its own")
    for name in classes:
        try:
            check_name(name)
        except InvalidRequest as error:
            raise refuse(f"classes: {name[:80]!r} cannot be the name of a segment ({error.message})") from error

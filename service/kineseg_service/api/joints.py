"""Between the joints of a body and their message."""

from __future__ import annotations

from kineseg.motion import Joints, MotionError
from kineseg.motion.joints import LengthUnit, Rotations
from kineseg.motion.recording import Up
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import InvalidRequest

_UPS: dict[int, Up] = {pb.UP_AXIS_UNSPECIFIED: "y", pb.UP_AXIS_Y: "y", pb.UP_AXIS_Z: "z"}
_UNITS: dict[int, LengthUnit] = {
    pb.LENGTH_UNIT_UNSPECIFIED: "",
    pb.LENGTH_UNIT_METRES: "m",
    pb.LENGTH_UNIT_CENTIMETRES: "cm",
    pb.LENGTH_UNIT_MILLIMETRES: "mm",
    pb.LENGTH_UNIT_INCHES: "in",
}
_ROTATIONS: dict[int, Rotations] = {
    pb.ROTATIONS_UNSPECIFIED: "none",
    pb.ROTATIONS_QUATERNIONS: "quaternions",
    pb.ROTATIONS_EULER_DEGREES: "euler",
}
# What the message calls what the joints call otherwise.
_FIELDS = {"up": "up_axis"}


def joints_from(message: pb.Joints) -> Joints:
    """The joints that a stream is to be opened with.

    Raises:
        InvalidRequest: They contradict themselves; names the field.
    """
    for field, number, known in (
        ("up_axis", message.up_axis, _UPS.keys()),
        ("unit", message.unit, _UNITS.keys()),
        ("rotations", message.rotations, _ROTATIONS.keys()),
    ):
        if number not in known:
            raise InvalidRequest(
                f"{field} is {number}; there are {', '.join(map(str, known))}", field=f"joints.{field}"
            )
    offsets = list(message.offsets)
    if len(offsets) % 3:
        raise InvalidRequest(
            f"offsets has {len(offsets)} numbers; there must be three for each joint", field="joints.offsets"
        )
    try:
        return Joints(
            names=tuple(message.names),
            parents=tuple(message.parents),
            offsets=tuple(zip(offsets[::3], offsets[1::3], offsets[2::3], strict=True)),
            up=_UPS[message.up_axis],
            unit=_UNITS[message.unit],
            mapping=dict(message.mapping),
            rotations=_ROTATIONS[message.rotations],
            euler_orders=tuple(message.euler_orders),
        )
    except MotionError as error:
        field = _FIELDS.get(error.field or "", error.field or "")
        raise InvalidRequest(str(error), field=f"joints.{field}".removesuffix(".")) from error


def joints_message(joints: Joints) -> pb.Joints:
    """The joints as a message."""
    return pb.Joints(
        names=joints.names,
        parents=joints.parents,
        offsets=[number for offset in joints.offsets for number in offset],
        up_axis=next(number for number, up in _UPS.items() if up == joints.up and number),  # type: ignore[arg-type]
        unit=next(number for number, unit in _UNITS.items() if unit == joints.unit),  # type: ignore[arg-type]
        mapping=joints.mapping,
        rotations=next(number for number, kind in _ROTATIONS.items() if kind == joints.rotations),  # type: ignore[arg-type]
        euler_orders=joints.euler_orders,
    )

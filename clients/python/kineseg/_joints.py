"""The joints of a stream as a message, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kineseg.v1 import segmentation_pb2 as pb

if TYPE_CHECKING:
    from kineseg.motion import Joints
    from kineseg.motion.joints import LengthUnit, Rotations
    from kineseg.motion.recording import Up

_UPS: dict[Up, pb.UpAxis.ValueType] = {"y": pb.UP_AXIS_Y, "z": pb.UP_AXIS_Z}
_UNITS: dict[LengthUnit, pb.LengthUnit.ValueType] = {
    "": pb.LENGTH_UNIT_UNSPECIFIED,
    "m": pb.LENGTH_UNIT_METRES,
    "cm": pb.LENGTH_UNIT_CENTIMETRES,
    "mm": pb.LENGTH_UNIT_MILLIMETRES,
    "in": pb.LENGTH_UNIT_INCHES,
}
_ROTATIONS: dict[Rotations, pb.Rotations.ValueType] = {
    "none": pb.ROTATIONS_UNSPECIFIED,
    "quaternions": pb.ROTATIONS_QUATERNIONS,
    "euler": pb.ROTATIONS_EULER_DEGREES,
}


def joints_to_wire(joints: Joints) -> pb.Joints:
    """What a stream is opened with."""
    return pb.Joints(
        names=joints.names,
        parents=joints.parents,
        offsets=[number for offset in joints.offsets for number in offset],
        up_axis=_UPS[joints.up],
        unit=_UNITS[joints.unit],
        mapping=joints.mapping,
        rotations=_ROTATIONS[joints.rotations],
        euler_orders=joints.euler_orders,
    )


def joints_from_wire(message: pb.Joints) -> Joints:
    """What a session was opened with."""
    from kineseg.motion import Joints

    offsets = message.offsets
    kinds = {number: kind for kind, number in _ROTATIONS.items()}
    euler = message.rotations == pb.ROTATIONS_EULER_DEGREES
    return Joints(
        names=tuple(message.names),
        parents=tuple(message.parents),
        offsets=tuple(zip(offsets[::3], offsets[1::3], offsets[2::3], strict=True)),
        up="z" if message.up_axis == pb.UP_AXIS_Z else "y",
        unit=next((unit for unit, number in _UNITS.items() if number == message.unit), ""),
        mapping=dict(message.mapping),
        rotations=kinds.get(message.rotations, "none"),  # a way that only a newer server knows
        euler_orders=tuple(message.euler_orders) if euler else (),
    )

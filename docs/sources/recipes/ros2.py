"""A ROS 2 topic as a source: kineseg stream "exec:python -u ros2.py /skeleton --joints Hips,Spine,Head"

Prints a line of JSON for each message. visualization_msgs/MarkerArray: a joint for each marker, by its text or else its
namespace and number; geometry_msgs/PoseArray: a joint for each pose, in the order of --joints.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import rclpy
from geometry_msgs.msg import PoseArray
from rclpy.qos import qos_profile_sensor_data
from visualization_msgs.msg import Marker, MarkerArray


def place(pose: Any) -> list[float]:
    """Metres, z up, as ROS has it."""
    return [pose.position.x, pose.position.y, pose.position.z]


def seconds(header: Any) -> float:
    """The stamp of a message."""
    return float(header.stamp.sec) + float(header.stamp.nanosec) * 1e-9


def main() -> None:
    """Print frames until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic")
    parser.add_argument("--joints", help="names of the poses of a PoseArray, with commas between; else: MarkerArray")
    options = parser.parse_args()
    names = options.joints.split(",") if options.joints else []
    described: list[str] = []

    def frame(joints: dict[str, list[float]], header: Any) -> None:
        if not described:
            described.extend(joints)
            print(json.dumps({"joints": described, "up": "z", "unit": "m"}), flush=True)
        points = [joints.get(name) for name in described]
        stamp = seconds(header)
        print(json.dumps({"positions": points} | ({"time": stamp} if stamp > 0 else {})), flush=True)

    def poses(message: PoseArray) -> None:
        frame(dict(zip(names, map(place, message.poses), strict=False)), message.header)

    def markers(message: MarkerArray) -> None:
        shown = [marker for marker in message.markers if marker.action == Marker.ADD]
        if shown:
            frame({one.text or f"{one.ns}_{one.id}": place(one.pose) for one in shown}, shown[0].header)

    rclpy.init()
    node = rclpy.create_node("kineseg_source")
    kind, take = (PoseArray, poses) if names else (MarkerArray, markers)
    node.create_subscription(kind, options.topic, take, qos_profile_sensor_data)
    rclpy.spin(node)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError, rclpy.executors.ExternalShutdownException):
        sys.exit(0)

// The joints of a pose, as the rows of frames hold them: x, z, angle, speed, turning, then x, y, z of each joint.
export const placeOf = (pose) => ({ x: pose[0], z: pose[1], yaw: pose[2], speed: pose[3], turning: pose[4] });

export function joint(pose, body, index) {
  const at = 5 + 3 * index;
  return [pose[at] / body.parts, pose[at + 1] / body.parts, pose[at + 2] / body.parts];
}

// A joint in the world: turned and moved to where the body is.
export function inWorld(pose, body, index) {
  const [x, y, z] = joint(pose, body, index), sin = Math.sin(pose[2]), cos = Math.cos(pose[2]);
  return [pose[0] + x * cos + z * sin, y, pose[1] + z * cos - x * sin];
}

// A small figure seen from its front left, standing at (x, floor), so many pixels to a body size.
export function drawFigure(g, pose, body, x, floor, scale, color) {
  const cos = Math.cos(-0.66), sin = Math.sin(-0.66);
  const at = (index) => {
    const [a, b, c] = joint(pose, body, index);
    return [x + (-a * cos - c * sin) * scale, floor - b * scale];
  };
  g.lineCap = "round";
  g.strokeStyle = color;
  for (const [side, alpha, width] of [[-1, 0.5, 1.6], [0, 1, 2.4], [1, 1, 2]]) {
    g.globalAlpha = alpha;
    g.lineWidth = width;
    g.beginPath();
    for (const [from, to, on] of body.bones) {
      if (on !== side) continue;
      g.moveTo(...at(from));
      g.lineTo(...at(to));
    }
    g.stroke();
  }
  g.globalAlpha = 1;
  g.fillStyle = color;
  g.beginPath();
  g.arc(...at(body.head), Math.max(2, scale * 0.085), 0, 2 * Math.PI);
  g.fill();
}

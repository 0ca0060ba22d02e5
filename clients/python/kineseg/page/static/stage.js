// The body in three dimensions: a floor that stays where it is, the way it has come, where it faces, how fast it goes.
import { Sheet } from "./canvas.js";
import { inWorld, placeOf } from "./figure.js";
import { colorOf } from "./palette.js";

const TRAIL_S = 6, FLOOR = 3, GRID = 0.5, STEP = Math.PI / 24;

export class Stage {
  constructor(canvas, redraw) {
    this.sheet = new Sheet(canvas);
    this.redraw = redraw;
    this.reset();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.held = { x: event.clientX, y: event.clientY };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.held) return;
      this.turn((event.clientX - this.held.x) * -0.01, (event.clientY - this.held.y) * 0.008);
      this.held = { x: event.clientX, y: event.clientY };
    });
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => { this.held = null; });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return; // the page scrolls
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.001));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => { this.reset(); redraw(); });
    canvas.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
      if (turns[event.key]) this.turn(...turns[event.key]);
      else if (event.key === "+") this.zoom(1.15);
      else if (event.key === "-") this.zoom(1 / 1.15);
      else if (event.key === "0") { this.reset(); redraw(); }
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  reset() { this.around = 0.62; this.above = 0.24; this.size = 1; }

  turn(around, above) {
    this.around += around;
    this.above = Math.max(-0.1, Math.min(1.5, this.above + above));
    this.redraw();
  }

  zoom(by) {
    this.size = Math.max(0.4, Math.min(3, this.size * by));
    this.redraw();
  }

  draw(stream, t, colors) {
    const sheet = this.sheet, g = sheet.g;
    if (!sheet.begin()) return;
    const body = stream?.info.body, frame = stream?.frameAt(t);
    if (!body || !frame) {
      const words = body || !stream ? "No frames yet." : "These channels are no body; they are drawn below.";
      sheet.text(words, sheet.wide / 2, sheet.high / 2, { color: colors.soft, align: "center", size: 13, room: sheet.wide - 20 });
      return;
    }
    const pose = frame.pose, place = placeOf(pose);
    const project = this.camera(place);
    this.floor(project, place, colors);
    this.trail(stream, t, project, colors);
    const color = colorOf(stream.barAt(t)?.label ?? -1);
    const points = stream.info.body.joints.map((_, index) => inWorld(pose, body, index));
    // Its shadow.
    g.globalAlpha = 0.16;
    g.strokeStyle = colors.ink;
    g.lineWidth = 5;
    g.lineCap = "round";
    g.beginPath();
    for (const [from, to] of body.bones) {
      this.path(project([points[from][0], 0, points[from][2]]), project([points[to][0], 0, points[to][2]]));
    }
    g.stroke();
    g.globalAlpha = 1;
    this.arrows(project, place, colors);
    const limbs = body.bones.map(([from, to, side]) => ({ a: project(points[from]), b: project(points[to]), side }))
      .sort((one, other) => other.a.depth + other.b.depth - one.a.depth - one.b.depth);
    for (const halo of [true, false]) {
      for (const { a, b, side } of limbs) {
        const width = (side === 0 ? 0.075 : 0.055) * (a.scale + b.scale) / 2;
        g.strokeStyle = halo ? colors.card : color;
        g.globalAlpha = halo || side >= 0 ? 1 : 0.55;
        g.lineWidth = halo ? width + 2.5 : width;
        g.beginPath();
        this.path(a, b);
        g.stroke();
      }
    }
    g.globalAlpha = 1;
    const head = project(points[body.head]);
    g.fillStyle = color;
    g.strokeStyle = colors.card;
    g.lineWidth = 1.5;
    g.beginPath();
    g.arc(head.x, head.y, 0.105 * head.scale, 0, 2 * Math.PI);
    g.fill();
    g.stroke();
    sheet.text(`speed ${place.speed.toFixed(1)} body sizes/s`, 4, 10, { color: colors.soft, size: 12 });
    const turning = Math.round(place.turning * 180 / Math.PI);
    const way = Math.abs(turning) < 3 ? "not turning" : `turning ${turning > 0 ? "left" : "right"} ${Math.abs(turning)}°/s`;
    sheet.text(way, 4, 26, { color: colors.soft, size: 12 });
  }

  path(a, b) { this.sheet.g.moveTo(a.x, a.y); this.sheet.g.lineTo(b.x, b.y); }

  // Looks at the body from a distance, along a line that turns with the mouse and not with the body.
  camera(place) {
    const { wide, high } = this.sheet;
    const sin = Math.sin(this.around), cos = Math.cos(this.around), up = Math.sin(this.above), out = Math.cos(this.above);
    const away = 6, focal = Math.min(high * 1.05, wide * 1.1) * 3.3 * this.size;
    return ([x, y, z]) => {
      const dx = x - place.x, dz = z - place.z, dy = y - 0.62;
      const right = dx * cos - dz * sin, toward = dx * sin + dz * cos;
      const depth = away - toward * out - dy * up, lift = dy * out - toward * up;
      const scale = focal / Math.max(0.5, depth);
      return { x: wide / 2 + right * scale, y: high * 0.52 - lift * scale, depth, scale };
    };
  }

  floor(project, place, colors) {
    const g = this.sheet.g;
    g.strokeStyle = colors.faint;
    g.lineWidth = 1;
    const x0 = Math.round(place.x / GRID) * GRID, z0 = Math.round(place.z / GRID) * GRID;
    g.beginPath();
    for (let i = -FLOOR / GRID; i <= FLOOR / GRID; i++) {
      this.path(project([x0 + i * GRID, 0, z0 - FLOOR]), project([x0 + i * GRID, 0, z0 + FLOOR]));
      this.path(project([x0 - FLOOR, 0, z0 + i * GRID]), project([x0 + FLOOR, 0, z0 + i * GRID]));
    }
    g.stroke();
  }

  trail(stream, t, project, colors) {
    const rows = stream.frames, g = this.sheet.g;
    g.strokeStyle = colors.soft;
    g.lineWidth = 1.5;
    let last = null;
    for (let i = rows.length - 1; i >= 0 && rows[i].t > t - TRAIL_S; i--) {
      if (rows[i].t > t || !rows[i].pose.length) continue;
      const here = project([rows[i].pose[0], 0, rows[i].pose[1]]);
      if (last) {
        g.globalAlpha = 0.7 * (1 - (t - rows[i].t) / TRAIL_S);
        g.beginPath();
        this.path(last, here);
        g.stroke();
      }
      last = here;
    }
    g.globalAlpha = 1;
  }

  // A wedge on the floor for where the body faces.
  arrows(project, place, colors) {
    const g = this.sheet.g, sin = Math.sin(place.yaw), cos = Math.cos(place.yaw);
    const at = (forward, left) => project([place.x + forward * sin + left * cos, 0, place.z + forward * cos - left * sin]);
    const [tip, left, right] = [at(0.62, 0), at(0.42, 0.12), at(0.42, -0.12)];
    g.fillStyle = colors.soft;
    g.beginPath();
    g.moveTo(tip.x, tip.y);
    g.lineTo(left.x, left.y);
    g.lineTo(right.x, right.y);
    g.fill();
  }
}

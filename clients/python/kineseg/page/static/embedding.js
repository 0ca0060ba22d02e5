// The embedding in the plane in which it varies most: a point for every frame, coloured by the action found.
import { Sheet } from "./canvas.js";
import { colorOf, inkOn } from "./palette.js";

const TAIL_S = 4;

export class Embedding {
  constructor(canvas) { this.sheet = new Sheet(canvas); }

  draw(stream, t, colors) {
    const sheet = this.sheet, g = sheet.g;
    if (!sheet.begin()) return;
    const rows = stream ? stream.results.filter((row) => row.x !== undefined) : [];
    if (!rows.length) {
      sheet.text(stream?.results.length ? "Needs a little more of the stream." : "Not sent for this stream.", sheet.wide / 2,
        sheet.high / 2, { color: colors.soft, align: "center", size: 13, room: sheet.wide - 20 });
      return;
    }
    const place = this.fit(rows);
    const bars = stream.bars(), labels = new Map();
    let at = 0;
    for (const row of rows) {
      while (at < bars.length - 1 && row.t >= bars[at].end) at++;
      const label = bars[at] && row.t >= bars[at].start && row.t < bars[at].end ? bars[at].label : row.label;
      if (!labels.has(label)) labels.set(label, []);
      labels.get(label).push(row);
    }
    g.globalAlpha = 0.5;
    for (const [label, points] of labels) {
      g.fillStyle = colorOf(label);
      g.beginPath();
      for (const point of points) {
        const [x, y] = place(point);
        g.moveTo(x + 2, y);
        g.arc(x, y, 2, 0, 2 * Math.PI);
      }
      g.fill();
    }
    g.globalAlpha = 1;
    const tail = rows.filter((row) => row.t <= t && row.t > t - TAIL_S).map(place);
    g.strokeStyle = colors.ink;
    g.lineWidth = 1.5;
    g.beginPath();
    tail.forEach(([x, y], i) => { if (i) g.lineTo(x, y); else g.moveTo(x, y); });
    g.stroke();
    for (const [label, points] of labels) {
      if (points.length < 8 || label < 0) continue;
      const [x, y] = place({ x: median(points.map((one) => one.x)), y: median(points.map((one) => one.y)) });
      const color = colorOf(label);
      g.fillStyle = color;
      g.strokeStyle = colors.card;
      g.lineWidth = 1.5;
      g.beginPath();
      g.arc(x, y, 10, 0, 2 * Math.PI);
      g.fill();
      g.stroke();
      sheet.text(label, x, y + 0.5, { color: inkOn(color), size: 11, weight: 700, align: "center" });
    }
    if (tail.length) {
      g.strokeStyle = colors.ink;
      g.lineWidth = 2.5;
      g.beginPath();
      g.arc(...tail.at(-1), 7, 0, 2 * Math.PI);
      g.stroke();
    }
  }

  // Keeps the proportions; a few points far off are drawn at the edge and do not flatten the rest.
  fit(rows) {
    const edge = (name) => {
      const sorted = rows.map((row) => row[name]).sort((a, b) => a - b);
      return [sorted[Math.floor(sorted.length * 0.005)], sorted[Math.ceil(sorted.length * 0.995) - 1]];
    };
    const [x0, x1] = edge("x"), [y0, y1] = edge("y"), { wide, high } = this.sheet, rim = 16;
    const sx = (wide - 2 * rim) / Math.max(1e-6, x1 - x0), sy = (high - 2 * rim) / Math.max(1e-6, y1 - y0);
    const clip = (value, top) => Math.max(rim / 2, Math.min(top - rim / 2, value));
    return ({ x, y }) => [clip(rim + (x - x0) * sx, wide), clip(high - rim - (y - y0) * sy, high)];
  }
}

function median(values) {
  const sorted = values.sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

// A canvas that is as sharp as the screen, and what is drawn on it again and again.
export class Sheet {
  constructor(canvas) {
    this.canvas = canvas;
    this.g = canvas.getContext("2d");
    this.wide = this.high = 0;
  }

  // Fits the canvas to its box; returns whether there is room to draw.
  begin(height) {
    const dense = Math.min(3, window.devicePixelRatio || 1), wide = this.canvas.clientWidth;
    const high = height ?? this.canvas.clientHeight;
    if (height !== undefined && this.canvas.style.height !== height + "px") this.canvas.style.height = height + "px";
    if (this.canvas.width !== Math.round(wide * dense) || this.canvas.height !== Math.round(high * dense)) {
      this.canvas.width = Math.round(wide * dense);
      this.canvas.height = Math.round(high * dense);
    }
    this.wide = wide;
    this.high = high;
    this.g.setTransform(dense, 0, 0, dense, 0, 0);
    this.g.clearRect(0, 0, wide, high);
    this.font = getComputedStyle(this.canvas).fontFamily;
    return wide > 0 && high > 0;
  }

  text(words, x, y, { size = 12, weight = 400, color, align = "left", room = Infinity } = {}) {
    const g = this.g;
    g.font = `${weight} ${size}px ${this.font}`;
    g.fillStyle = color;
    g.textAlign = align;
    g.textBaseline = "middle";
    const shown = fitting(g, String(words), room);
    if (shown) g.fillText(shown, x, y);
    return shown;
  }

  line(x1, y1, x2, y2, color, width = 1, dash = []) {
    const g = this.g;
    g.strokeStyle = color;
    g.lineWidth = width;
    g.setLineDash(dash);
    g.beginPath();
    g.moveTo(x1, y1);
    g.lineTo(x2, y2);
    g.stroke();
    g.setLineDash([]);
  }

  box(x, y, wide, high, color, radius = 4) {
    const g = this.g;
    g.fillStyle = color;
    g.beginPath();
    g.roundRect(x, y, Math.max(0.5, wide), high, Math.min(radius, wide / 2));
    g.fill();
  }

  // Oblique stripes in a box: what is not certain.
  stripes(x, y, wide, high, color) {
    const g = this.g;
    g.save();
    g.beginPath();
    g.roundRect(x, y, Math.max(0.5, wide), high, Math.min(4, wide / 2));
    g.clip();
    g.strokeStyle = color;
    g.lineWidth = 4;
    g.beginPath();
    for (let at = x - high; at < x + wide; at += 9) {
      g.moveTo(at, y + high);
      g.lineTo(at + high, y);
    }
    g.stroke();
    g.restore();
  }
}

function fitting(g, words, room) {
  if (g.measureText(words).width <= room) return words;
  for (let length = words.length - 1; length >= 2; length--) {
    const shorter = words.slice(0, length).trimEnd() + "…";
    if (g.measureText(shorter).width <= room) return shorter;
  }
  return "";
}

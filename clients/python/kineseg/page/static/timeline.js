// What happened, above one another along one axis of time.
import { Sheet } from "./canvas.js";
import { drawFigure } from "./figure.js";
import { colorOf, inkOn } from "./palette.js";
import { indexAt } from "./stream.js";
import { called, clock, percent } from "./words.js";

const SHAPES = { fault: "triangle", behaviour: "diamond", rule: "square", unknown: "triangle" };
const LEAST_HOURS = 0.01, MOST_HOURS = 10000;

export class Timeline {
  constructor(canvas, { onPlace, onPan, onZoom, onBar, onHover }) {
    this.sheet = new Sheet(canvas);
    this.boxes = [];
    this.onHover = onHover;
    let held = null;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      held = { x: at(event)[0], moved: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      if (held && (held.moved || Math.abs(x - held.x) > 4)) {
        held.moved = true;
        onPan((held.x - x) / this.scale);
        held.x = x;
        onHover(null);
      } else if (!held) onHover(this.hit(x, y), event);
    });
    canvas.addEventListener("pointerleave", () => onHover(null));
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("pointerup", (event) => {
      const [x, y] = at(event), was = held;
      held = null;
      if (!was || was.moved) return;
      const hit = this.hit(x, y);
      if (x >= this.left - 4) onPlace(this.timeAt(x));
      onBar(hit?.bar ?? null);
    });
    canvas.addEventListener("wheel", (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey) onZoom(Math.exp(event.deltaY * 0.002), this.timeAt(at(event)[0]));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) onPan(sideways / this.scale);
      else return; // the page scrolls
      event.preventDefault();
    }, { passive: false });
  }

  timeAt(x) { return this.view.from + (x - this.left) / this.scale; }

  x(t) { return this.left + (t - this.view.from) * this.scale; }

  hit(x, y) {
    const found = this.boxes.findLast((box) => x >= box.x && x <= box.x + box.wide && y >= box.y && y <= box.y + box.high);
    return found ?? null;
  }

  rows(stream, view, truth) {
    const narrow = this.sheet.canvas.clientWidth < 620;
    const rows = [];
    if (stream.info.body) rows.push({ name: "poses", remark: "as sent", high: narrow ? 56 : 80, draw: this.poses });
    if (!view.following) rows.push({ name: "known then", remark: "at the cursor", high: 32, draw: this.known });
    rows.push({ name: "provisional", remark: "by confidence", high: 36, draw: this.provisional });
    rows.push({ name: "segments", remark: "as known now", high: 40, draw: this.segments });
    if (truth.length) rows.push({ name: "known truth", remark: "never sent", high: 28, draw: this.truth });
    stream.info.signals.slice(0, narrow ? 4 : 6).forEach((name, index) =>
      rows.push({ name, high: 24, tight: true, draw: (...given) => this.signal(index, ...given) }));
    rows.push({ name: "surprise", remark: "robust SDs", high: 56, draw: this.surprise });
    rows.push({ name: "anomalies", remark: "by rarity", high: 64, draw: this.anomalies });
    return rows;
  }

  draw(stream, view, colors, { truth = [], selected = null } = {}) {
    const sheet = this.sheet;
    this.view = view;
    this.colors = colors;
    this.truthBars = truth;
    this.selected = selected;
    const rows = this.rows(stream, view, truth);
    const high = rows.reduce((sum, row) => sum + row.high + (row.tight ? 2 : 10), 6) + 24;
    if (!sheet.begin(high)) return;
    this.left = sheet.wide < 620 ? 92 : 128;
    this.right = sheet.wide - 6;
    this.scale = (this.right - this.left) / Math.max(1e-3, view.to - view.from);
    this.boxes = [];
    const g = sheet.g, bottom = high - 22;
    let top = 6;
    g.save();
    this.gaps(stream, bottom);
    for (const row of rows) {
      const middle = top + row.high / 2;
      const room = this.left - 14;
      sheet.text(row.name, this.left - 10, row.remark ? middle - 7 : middle, { color: colors.ink, align: "right", room, size: row.tight ? 11 : 12.5 });
      if (row.remark) sheet.text(row.remark, this.left - 10, middle + 8, { color: colors.soft, align: "right", size: 10.5, room });
      g.save();
      g.beginPath();
      g.rect(this.left, top - 6, this.right - this.left, row.high + 12);
      g.clip();
      row.draw.call(this, stream, top, row.high);
      g.restore();
      top += row.high + (row.tight ? 2 : 10);
    }
    this.axis(bottom);
    this.cursor(stream, bottom);
    g.restore();
  }

  visible(rows) {
    const first = Math.max(0, indexAt(rows, this.view.from) - 1);
    return rows.slice(first, indexAt(rows, this.view.to) + 1);
  }

  poses(stream, top, high) {
    const scale = high / 1.6, every = scale * 0.95 / this.scale, g = this.sheet.g;
    const rows = stream.frames, body = stream.info.body;
    if (!rows.length) return;
    for (let n = Math.floor(this.view.from / every); n * every < this.view.to + every; n++) {
      const t = n * every, i = Math.min(rows.length - 1, indexAt(rows, t));
      if (t < rows[0].t || Math.abs(rows[i].t - t) > 0.5 || t > this.view.to || !rows[i].pose.length) continue;
      if (stream.gaps.some((gap) => t > gap.start && t < gap.end)) continue;
      drawFigure(g, rows[i].pose, body, this.x(t), top + high - 2, scale, colorOf(stream.barAt(t)?.label ?? -1));
    }
  }

  known(stream, top, high) {
    for (const bar of stream.segments.barsAt(this.view.cursor)) this.bar(bar, top, high, false);
  }

  segments(stream, top, high) {
    for (const bar of stream.bars()) this.bar(bar, top, high, true);
  }

  bar(bar, top, high, selectable) {
    const x = this.x(bar.start), wide = this.x(bar.end) - x;
    if (x > this.right || x + wide < this.left) return;
    const sheet = this.sheet, color = colorOf(bar.label), from = Math.max(x + 0.75, this.left - 8);
    const until = Math.min(x + wide - 0.75, this.right + 8), shown = Math.max(0.5, until - from);
    sheet.box(from, top, shown, high, color);
    let ink = inkOn(color);
    if (!bar.confirmed) {
      sheet.stripes(from, top, shown, high, this.colors.card);
      sheet.g.strokeStyle = color;
      sheet.g.lineWidth = 1.5;
      sheet.g.strokeRect(from + 0.75, top + 0.75, Math.max(0, shown - 1.5), high - 1.5);
      ink = this.colors.ink;
    }
    const words = bar.confirmed ? [bar.name, bar.label] : [called(bar) + "? " + percent(bar.confidence), (bar.name || bar.label) + "?"];
    const middle = (Math.max(from, this.left) + Math.min(until, this.right)) / 2;
    const room = Math.min(until, this.right) - Math.max(from, this.left) - 6;
    for (const word of words) {
      if (word === "" || room < 7) continue;
      if (!bar.confirmed) this.halo(word, middle, top + high / 2, room);
      const shortened = sheet.text(word, middle, top + high / 2 + 0.5, { color: ink, weight: 700, size: 13.5, align: "center", room });
      if (shortened) break;
    }
    if (selectable) {
      if (this.selected === bar.id) {
        sheet.g.strokeStyle = this.colors.ink;
        sheet.g.lineWidth = 3;
        sheet.g.strokeRect(from - 1, top - 2, shown + 2, high + 4);
      }
    }
    this.boxes.push({ x: from, y: top, wide: shown, high, bar: selectable ? bar : null, about: bar });
  }

  halo(word, x, y, room) {
    const g = this.sheet.g;
    g.font = `700 13.5px ${this.sheet.font}`;
    const wide = Math.min(room, g.measureText(word).width) + 8;
    this.sheet.box(x - wide / 2, y - 9, wide, 18, this.colors.card, 3);
  }

  truth(stream, top, high) {
    for (const bar of this.truthBars) {
      const x = this.x(bar.start), wide = this.x(bar.end) - x;
      this.sheet.g.globalAlpha = 0.4;
      this.sheet.box(x + 0.75, top, wide - 1.5, high, colorOf(bar.label));
      this.sheet.g.globalAlpha = 1;
      this.sheet.text(bar.name, x + wide / 2, top + high / 2, { color: this.colors.ink, size: 12, align: "center", room: wide - 6 });
    }
  }

  // A hollow mark at each boundary as first reported, as high as its confidence, and a line to when that was.
  provisional(stream, top, high) {
    const sheet = this.sheet, g = sheet.g, y = (share) => top + 5 + (1 - share) * (high - 8);
    for (const share of [0, 1]) sheet.line(this.left, y(share), this.right, y(share), this.colors.faint);
    const threshold = stream.info.boundary_threshold;
    if (threshold) sheet.line(this.left, y(threshold), this.right, y(threshold), this.colors.soft, 1, [4, 4]);
    for (const one of stream.provisional()) {
      if (one.reported < this.view.from || one.time > this.view.to) continue;
      const x = this.x(one.time), at = y(one.confidence), color = one.outcome === "retracted" ? this.colors.soft : this.colors.ink;
      sheet.line(x, at, this.x(one.reported), at, color, 1.3, one.outcome === "open" ? [3, 2] : []);
      sheet.line(this.x(one.reported), at - 4, this.x(one.reported), at + 4, color, 1.3);
      g.strokeStyle = color;
      g.lineWidth = 1.7;
      g.fillStyle = one.outcome === "confirmed" ? color : this.colors.card;
      g.beginPath();
      if (one.outcome === "retracted") {
        g.moveTo(x - 4, at - 4); g.lineTo(x + 4, at + 4); g.moveTo(x + 4, at - 4); g.lineTo(x - 4, at + 4);
      } else {
        g.arc(x, at, 4, 0, 2 * Math.PI);
        g.fill();
      }
      g.stroke();
    }
  }

  signal(index, stream, top, high) {
    const rows = this.visible(stream.frames), g = this.sheet.g;
    this.sheet.line(this.left, top + high, this.right, top + high, this.colors.faint);
    let low = Infinity, most = -Infinity;
    for (const { signals } of rows) {
      const value = signals[index];
      if (value === null) continue;
      if (value < low) low = value;
      if (value > most) most = value;
    }
    if (!(most >= low)) return;
    const span = Math.max(1e-6, most - low);
    g.strokeStyle = this.colors.trace;
    g.lineWidth = 1;
    g.beginPath();
    let before = -Infinity;
    for (const { t, signals } of rows) {
      if (signals[index] === null) { before = -Infinity; continue; }
      const x = this.x(t), y = top + high - 2 - (high - 4) * (signals[index] - low) / span;
      if (t - before > 0.5) g.moveTo(x, y); else g.lineTo(x, y);
      before = t;
    }
    g.stroke();
  }

  surprise(stream, top, high) {
    const rows = this.visible(stream.results), g = this.sheet.g, base = top + high;
    this.sheet.line(this.left, base, this.right, base, this.colors.faint);
    if (!rows.length) {
      this.sheet.text("not sent for this stream", this.left + 8, top + high / 2, { color: this.colors.soft });
      return;
    }
    const full = Math.max(8, ...rows.map((row) => row.score * 1.1));
    for (let i = 0; i < rows.length;) {
      let j = i;
      while (j + 1 < rows.length && rows[j + 1].t - rows[j].t < 1) j++;
      g.beginPath();
      g.moveTo(this.x(rows[i].t), base);
      for (let k = i; k <= j; k++) g.lineTo(this.x(rows[k].t), base - high * Math.max(0, rows[k].score) / full);
      g.lineTo(this.x(rows[j].t), base);
      g.closePath();
      g.globalAlpha = 0.35;
      g.fillStyle = this.colors.hill;
      g.fill();
      g.globalAlpha = 1;
      g.strokeStyle = this.colors.hill;
      g.lineWidth = 1;
      g.stroke();
      i = j + 1;
    }
    this.sheet.text(full.toFixed(0), this.left + 3, top + 9, { color: this.colors.soft, size: 10 });
  }

  // How rare each is, against how often false ones may come: above its dashed line an anomaly is raised.
  anomalies(stream, top, high) {
    const sheet = this.sheet, most = Math.log10(MOST_HOURS), least = Math.log10(LEAST_HOURS);
    const y = (hours) => top + high - high * (Math.log10(Math.max(LEAST_HOURS, Math.min(MOST_HOURS, hours))) - least) / (most - least);
    sheet.line(this.left, top + high, this.right, top + high, this.colors.faint);
    const budgets = [[stream.info.alarms_per_hour, this.colors.alarm, "alarms"], [stream.info.reports_per_hour, this.colors.report, "reports"]]
      .filter(([perHour]) => perHour).sort((one, other) => one[0] - other[0]);
    budgets.forEach(([perHour, color, what], index) => {
      sheet.line(this.left, y(1 / perHour), this.right, y(1 / perHour), color, 1, [5, 4]);
      const beside = index < budgets.length - 1 ? -7 : 7; // the rarer one's words above its line, so that they keep apart
      sheet.text(`${what} at most ${perHour.toFixed(perHour < 1 ? 2 : 0)} false an hour`, this.left + 4, y(1 / perHour) + beside, { color, size: 10 });
    });
    for (const one of stream.alerts()) {
      const end = one.end ?? stream.latest;
      if (end < this.view.from || one.start > this.view.to) continue;
      const rule = one.about === "rule", at = rule ? top + 6 : y(one.severity);
      const color = one.about === "behaviour" ? this.colors.report : this.colors.alarm;
      const x = this.x(one.start), wide = Math.max(2, this.x(end) - x);
      sheet.g.globalAlpha = 0.16;
      sheet.box(x, at, wide, top + high - at, color, 0);
      sheet.g.globalAlpha = 1;
      sheet.box(x, at - 1.5, wide, 3, color, 1);
      this.mark(SHAPES[one.about] ?? "triangle", x, at, color);
      const words = rule ? one.rule : one.kind.replaceAll("_", " ");
      sheet.text(words, Math.max(x, this.left) + 8, at + 10 > top + high ? at - 9 : at + 9, { color, size: 11, weight: 600 });
      this.boxes.push({ x: x - 6, y: at - 8, wide: wide + 12, high: top + high - at + 8, alert: one });
    }
  }

  mark(shape, x, y, color) {
    const g = this.sheet.g;
    g.fillStyle = color;
    g.strokeStyle = this.colors.card;
    g.lineWidth = 1.5;
    g.beginPath();
    if (shape === "square") g.rect(x - 4.5, y - 4.5, 9, 9);
    else if (shape === "diamond") { g.moveTo(x, y - 6); g.lineTo(x + 6, y); g.lineTo(x, y + 6); g.lineTo(x - 6, y); } 
    else { g.moveTo(x, y - 6); g.lineTo(x + 6, y + 5); g.lineTo(x - 6, y + 5); }
    g.closePath();
    g.fill();
    g.stroke();
  }

  gaps(stream, bottom) {
    const g = this.sheet.g;
    for (const gap of stream.gaps) {
      const x = Math.max(this.left, this.x(gap.start)), until = Math.min(this.right, this.x(gap.end));
      if (until < this.left || x > this.right) continue;
      g.globalAlpha = 0.25;
      this.sheet.box(x, 0, Math.max(2, until - x), bottom, this.colors.soft, 0);
      g.globalAlpha = 1;
      this.boxes.push({ x, y: 0, wide: Math.max(4, until - x), high: bottom, gap });
    }
  }

  axis(bottom) {
    const span = this.view.to - this.view.from, room = Math.max(2, (this.right - this.left) / 90);
    const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => span / one <= room) ?? 7200;
    this.sheet.line(this.left, bottom, this.right, bottom, this.colors.soft);
    for (let t = Math.ceil(this.view.from / step) * step; t <= this.view.to; t += step) {
      if (t < 0) continue;
      this.sheet.line(this.x(t), bottom, this.x(t), bottom + 4, this.colors.soft);
      const label = step < 1 ? clock(t) : clock(t).slice(0, -2);
      this.sheet.text(label, Math.min(this.x(t), this.right - 12), bottom + 13, { color: this.colors.soft, size: 11, align: "center" });
    }
  }

  cursor(stream, bottom) {
    const x = this.x(this.view.cursor);
    if (x < this.left - 1 || x > this.right + 1) return;
    this.sheet.line(x, 0, x, bottom, this.colors.cursor, this.view.following ? 1 : 1.6);
  }
}

// All that the page knows of one stream, within bounds.
import { Segments } from "./segments.js";

const SPARE_ROWS = 512; // so many too many are dropped at once

export class Stream {
  constructor(info, keptS) {
    this.keptS = keptS;
    this.events = [];
    this.segments = new Segments();
    this.anomalies = new Map();
    this.gaps = [];
    this.health = {};
    this.skipped = 0; // poses that this browser was too slow for
    this.lost = 0; // events that were gone before it could read them
    this.frames = [];
    this.results = [];
    this.share = 0;
    this.latest = 0;
    this.version = 0;
    this.update(info);
  }

  update(info) {
    this.info = info;
    this.version++;
  }

  take(message) {
    this.version++;
    switch (message.type) {
      case "stream": this.update(message); break;
      case "events":
        this.lost += message.lost ?? 0;
        for (const event of message.events) this.takeEvent(event);
        this.bound();
        break;
      case "frames":
        if (message.first) this.frames = [];
        this.skipped += message.skipped ?? 0;
        for (const [t, pose, signals] of message.rows) this.frames.push({ t, pose, signals });
        this.bound();
        break;
      case "results":
        if (message.first) this.results = [];
        for (const [t, score, surprise, label, x, y] of message.rows) this.results.push({ t, score, surprise, label, x, y });
        this.bound();
        break;
      case "plane": {
        this.share = message.share;
        const rows = this.results, offset = rows.findIndex((row) => row.t === message.times[0]);
        if (offset >= 0) {
          message.points.forEach(([x, y], i) => {
            const row = rows[offset + i];
            if (row) { row.x = x; row.y = y; }
          });
        }
      }
    }
    const last = Math.max(this.frames.at(-1)?.t ?? 0, this.results.at(-1)?.t ?? 0);
    this.latest = Math.max(this.latest, last);
  }

  takeEvent(event) {
    this.events.push(event);
    this.segments.add(event);
    if (event.decided_time_s !== undefined) this.latest = Math.max(this.latest, event.decided_time_s);
    if (event.kind === "gap") this.gaps.push({ start: event.time_s, end: event.time_s + event.duration_s, event });
    if (event.kind.startsWith("anomaly")) {
      if (event.kind === "anomaly" || this.anomalies.has(event.anomaly_id)) {
        this.anomalies.set(event.anomaly_id, {
          id: event.anomaly_id, kind: event.anomaly_kind, about: event.anomaly_class ?? "fault", start: event.time_s,
          end: event.kind === "anomaly_cleared" ? event.end_time_s : null, severity: event.severity,
          text: event.text, rule: event.rule ?? "",
        });
      }
    }
  }

  bound() {
    if (this.keptS === Infinity) return;
    const before = this.latest - this.keptS;
    for (const name of ["frames", "results"]) {
      const rows = this[name];
      if (rows.length > SPARE_ROWS && rows[SPARE_ROWS].t < before) this[name] = rows.slice(indexAt(rows, before));
    }
    if (this.events.length > 2500) this.events = this.events.slice(-2000);
    this.segments.forget(before);
    this.gaps = this.gaps.filter((gap) => gap.end >= before);
    for (const [id, one] of this.anomalies) if (one.end !== null && one.end < before) this.anomalies.delete(id);
  }

  // The first second that is kept.
  get earliest() {
    return Math.min(this.frames[0]?.t ?? this.latest, this.results[0]?.t ?? this.latest,
      Math.max(0, this.latest - this.keptS));
  }

  get ended() { return Boolean(this.info.ended); }

  frameAt(t) { return nearest(this.frames, t); }

  resultAt(t) { return nearest(this.results, t); }

  bars() { return this.cached("bars", () => this.segments.bars(this.latest)); }

  provisional() { return this.cached("provisional", () => this.segments.provisional()); }

  barAt(t) {
    const bars = this.bars();
    return bars.find((bar) => t >= bar.start && t < bar.end) ?? (t >= this.latest ? bars.at(-1) : undefined);
  }

  alerts() { return [...this.anomalies.values()].sort((a, b) => a.start - b.start); }

  cached(name, make) {
    this.cache ??= {};
    if (this.cache[name]?.version !== this.version) this.cache[name] = { version: this.version, value: make() };
    return this.cache[name].value;
  }
}

export function indexAt(rows, t) {
  let low = 0, high = rows.length;
  while (low < high) { const mid = (low + high) >> 1; if (rows[mid].t < t) low = mid + 1; else high = mid; }
  return low;
}

function nearest(rows, t) {
  if (!rows.length) return undefined;
  const i = Math.min(rows.length - 1, indexAt(rows, t));
  return i > 0 && t - rows[i - 1].t < rows[i].t - t ? rows[i - 1] : rows[i];
}

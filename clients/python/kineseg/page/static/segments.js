// What was known of a stream's segments at any moment, from its events in the order emitted.
export class Segments {
  constructor() {
    this.byId = new Map(); // number -> its versions, the oldest first
    this.given = new Map(); // number -> the name that somebody gave it on a page
  }

  add(event) {
    const now = event.decided_time_s;
    switch (event.kind) {
      case "segment_started":
      case "segment_updated":
        this.append(event, event.time_s, null, event.confirmed ?? true, event.confidence ?? 1, now);
        break;
      case "segment_closed":
        this.append(event, event.start_time_s, event.end_time_s, true, 1, now);
        break;
      case "segment_retracted":
        this.outdate(event.segment_id, now);
        break;
      case "labels_merged":
        for (const versions of this.byId.values()) {
          const last = versions.at(-1);
          // Closed segments keep the label that they were closed with.
          if (last.label === event.label && last.end === null && last.until === Infinity) {
            last.until = now;
            versions.push({ ...last, label: event.into, from: now, until: Infinity });
          }
        }
        break;
      case "named_here":
        this.given.set(event.segment_id, event.name);
    }
  }

  append(event, start, end, confirmed, confidence, from) {
    this.outdate(event.segment_id, from);
    if (!this.byId.has(event.segment_id)) this.byId.set(event.segment_id, []);
    this.byId.get(event.segment_id).push({
      id: event.segment_id, label: event.label, name: event.name ?? "", sure: event.name_confidence ?? 0,
      repeats: event.repeat_probability, start, end, confirmed, confidence, from, until: Infinity,
    });
  }

  outdate(id, now) {
    const versions = this.byId.get(id);
    if (versions) versions.at(-1).until = now;
  }

  // As known after the last event; what is not closed ends where the next begins, the last one now.
  bars(now) {
    const lasts = [];
    for (const versions of this.byId.values()) if (versions.at(-1).until === Infinity) lasts.push(versions.at(-1));
    return this.inOrder(lasts, now);
  }

  // As known at a moment, up to that moment.
  barsAt(t) {
    const known = [];
    for (const versions of this.byId.values()) {
      const then = versions.find((version) => version.from <= t && t < version.until);
      if (then) known.push(then);
    }
    return this.inOrder(known, t);
  }

  inOrder(versions, now) {
    versions.sort((a, b) => a.start - b.start);
    return versions
      .map((v, i) => ({ ...v, open: v.end === null, end: v.end ?? (versions[i + 1] ? versions[i + 1].start : now),
        name: this.given.get(v.id) ?? v.name, given: this.given.has(v.id) }))
      .filter((bar) => bar.end > bar.start);
  }

  // Those that were reported before their start was confirmed: where, when, how sure, and what became of them.
  provisional() {
    const reports = [];
    for (const versions of this.byId.values()) {
      const first = versions[0], last = versions.at(-1), confirmed = versions.find((v) => v.confirmed);
      if (first.confirmed) continue;
      const outcome = confirmed ? "confirmed" : last.until === Infinity ? "open" : "retracted";
      reports.push({ id: first.id, time: first.start, reported: first.from, confidence: first.confidence, outcome });
    }
    return reports;
  }

  forget(before) {
    for (const [id, versions] of this.byId) {
      const last = versions.at(-1);
      const over = last.until === Infinity ? last.end : last.until;
      if (over !== null && over < before) {
        this.byId.delete(id);
        this.given.delete(id);
      }
    }
  }
}

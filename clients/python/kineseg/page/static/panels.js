// Everything beside the canvases: lists and tables, filled anew when what they show has changed.
import { colorOf, inkOn } from "./palette.js";
import { called, clock, describe, percent, rarity } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function element(name, { text, className, title, ...values } = {}, children = []) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  if (title) made.title = title;
  for (const [key, value] of Object.entries(values)) if (value !== undefined && value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function swatch(label) {
  const made = element("span", { text: label, className: "dot" });
  made.style.background = colorOf(label);
  made.style.color = inkOn(colorOf(label));
  return made;
}

// Fills an element only when what it says has changed, so that neither the eye nor a screen reader is disturbed.
const said = new WeakMap();
function fill(parent, key, make) {
  const now = JSON.stringify(key);
  if (said.get(parent) === now) return;
  said.set(parent, now);
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  parent.replaceChildren(...make());
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

export function showFacts(facts) {
  byId("facts").hidden = !facts.length;
  fill(byId("facts"), facts, () => facts.map(([value, what]) =>
    element("div", { className: "fact" }, [element("b", { text: value }), element("span", { text: what })])));
}

// How a stream does, in a word; `bad` is what somebody should look at.
export function condition(stream) {
  if (stream.ended) return { word: "ended", sign: "■", over: true };
  const silent = stream.health.silent_s ?? 0;
  if (silent > 2) return { word: `silent for ${silent.toFixed(0)} s`, sign: "▲", bad: true };
  return { word: "running", sign: "●" };
}

export function showStreams(streams, selected, filter, onSelect) {
  const words = filter.words.toLowerCase();
  const going = (stream) => stream.alerts().filter((one) => one.end === null).length;
  const shown = streams.filter((stream) => (!words || `${stream.info.name} ${stream.info.model} ${stream.info.source}`.toLowerCase().includes(words)) &&
    (!filter.onlyOpen || !stream.ended) && (!filter.onlyAlerts || stream.anomalies.size));
  const rows = shown.map((stream) => {
    const bar = stream.bars().at(-1), state = condition(stream);
    return { id: stream.info.stream, name: stream.info.name, state, now: bar && !stream.ended ? called(bar) : state.word,
      word: state.bad ? state.word : "", alerts: stream.anomalies.size, going: going(stream) };
  });
  byId("how-many").textContent = shown.length === streams.length ? String(streams.length) : `${shown.length} of ${streams.length}`;
  fill(byId("stream-list"), [rows, selected], () => rows.map((row) => {
    const sign = element("span", { className: "sign" + (row.state.bad ? " bad" : row.state.over ? " over" : ""), text: row.state.sign, title: row.state.word });
    const alerts = row.alerts ? [element("span", { className: "count", text: (row.going ? "▲" : "△") + row.alerts,
      title: `${row.alerts} anomalies, ${row.going} of them go on` })] : [];
    const made = element("button", { type: "button", "data-key": row.id, "aria-current": String(row.id === selected) },
      [sign, element("b", { text: row.name }), element("small", { text: row.word || row.now }), ...alerts]);
    made.addEventListener("click", () => onSelect(row.id));
    return element("li", {}, [made]);
  }));
}

export function showNow(stream, t, following) {
  byId("now-title").textContent = following ? "Now" : "At " + clock(t);
  const bars = following ? stream.bars() : stream.segments.barsAt(t), bar = bars.at(-1);
  fill(byId("now"), [bar?.id, bar?.label, bar?.name, bar?.confirmed], () => !bar ? [element("span", { text: "no segment yet" })]
    : [swatch(bar.label), element("span", { text: bar.name || "action " + bar.label })]);
  // The lane of segments at this moment, for those who cannot see it.
  const lane = bars.slice(-12).map((one) => `${clock(one.start)} ${called(one)}${one.confirmed ? "" : ", provisional, " + percent(one.confidence)}`);
  if (byId("known").textContent !== lane.join("; ")) byId("known").textContent = lane.join("; ");
  const parts = [];
  if (bar) {
    parts.push(`segment ${bar.id}, since ${clock(bar.start)}, ${(t - bar.start).toFixed(0)} s`);
    parts.push(bar.confirmed ? "confirmed" : `provisional, confidence ${percent(bar.confidence)}`);
    if (bar.repeats) parts.push(`seen before: ${percent(bar.repeats)}`);
  }
  const result = stream.resultAt(t);
  if (result) parts.push(`surprise ${Math.max(0, result.score).toFixed(1)}`);
  byId("now-more").textContent = parts.join(" · ");
}

export function showHealth(stream, isLive) {
  const health = stream.health, rows = [], state = condition(stream);
  if (isLive) rows.push(["state", state.sign + " " + state.word, state.bad]);
  const claimed = stream.info.rate_hz;
  if (isLive && health.rate_hz !== undefined && !stream.ended) {
    rows.push(["rate, claimed", `${health.rate_hz.toFixed(1)} of ${claimed.toFixed(0)} Hz`, Math.abs(health.rate_hz / claimed - 1) > 0.2]);
  } else rows.push(["rate", `${claimed.toFixed(0)} Hz`]);
  if (health.jitter_ms !== undefined && !stream.ended) rows.push(["jitter", `${health.jitter_ms.toFixed(1)} ms`, health.jitter_ms > 100]);
  if (isLive && health.lost !== undefined) rows.push(["lost", (100 * health.lost).toFixed(2) + " %", health.lost > 0.02]);
  if (health.delay_ms !== undefined && !stream.ended) rows.push(["latency", `${health.delay_ms.toFixed(0)} ms`, health.delay_ms > 500]);
  if (stream.skipped) rows.push(["poses not shown", String(stream.skipped)]);
  if (stream.lost) rows.push(["events no longer kept", String(stream.lost)]);
  if (stream.info.model) rows.push(["model", stream.info.model]);
  fill(byId("health"), rows, () => rows.flatMap(([name, value, bad]) =>
    [element("dt", { text: name }), element("dd", { text: value, className: bad ? "bad" : "" })]));
}

const SIGNS = { fault: ["▲", "alarm"], behaviour: ["◆", "report"], rule: ["■", "alarm"] };

const SAYS_HOW_LONG = / for [\d.]+ s\b/;

export function showAlerts(stream, onJump) {
  const alerts = stream.alerts().slice().reverse();
  byId("alert-count").textContent = alerts.length ? String(alerts.length) : "none";
  fill(byId("alerts"), alerts.map((one) => [one.id, one.end, one.severity, one.text, one.kind]), () => alerts.slice(0, 200).map((one) => {
    const [sign, color] = SIGNS[one.about] ?? SIGNS.fault;
    const made = element("button", { type: "button", "data-key": "a" + one.id }, [
      element("span", { text: sign, className: color, title: one.about }), element("span", { text: clock(one.start), className: "when" }),
      element("span", { text: one.text + (one.end === null ? ", goes on" : SAYS_HOW_LONG.test(one.text) ? "" : `, ${(one.end - one.start).toFixed(1)} s`) + `; ${rarity(one.severity, one.rule)}`,
        className: one.end === null ? "going" : "" })]);
    made.addEventListener("click", () => onJump(one.start));
    return element("li", {}, [made]);
  }));
}

export function showEvents(stream, onJump) {
  const shown = stream.events.slice(-120).reverse();
  fill(byId("events"), [stream.info.stream, stream.events.length, shown[0]?.seq], () => shown.map((event) => {
    const made = element("button", { type: "button" }, [element("span"),
      element("span", { text: event.decided_time_s === undefined ? "" : clock(event.decided_time_s), className: "when" }), element("span", { text: describe(event) })]);
    if (event.time_s !== undefined) made.addEventListener("click", () => onJump(event.time_s));
    return element("li", {}, [made]);
  }));
}

function table(head, rows) {
  const cell = (name, value) => {
    const [words, numeric] = Array.isArray(value) ? [value[0], true] : [value, false];
    const made = element(name, { className: numeric ? "num" : "" });
    made.append(words);
    return made;
  };
  return [element("thead", {}, [element("tr", {}, head.map((one) => cell("th", one)))]), element("tbody", {}, rows.map(({ t, cells, open }) => {
    const row = element("tr", { "data-t": t }, cells.map((one) => cell("td", one)));
    row.addEventListener("click", open);
    return row;
  }))];
}

export function showSegments(stream, onOpen) {
  const bars = stream.bars().slice().reverse();
  const key = bars.map((bar) => [bar.id, bar.label, bar.name, bar.start, bar.open ? null : bar.end, bar.confirmed, bar.from]);
  fill(byId("segments"), key, () => {
    const early = new Map(stream.provisional().map((one) => [one.id, one]));
    const head = [["segment"], "action", ["from"], ["to"], ["length"], ["first reported"]];
    return table(head, bars.slice(0, 200).map((bar) => {
      const first = early.get(bar.id), label = element("span", {}, [swatch(bar.label), " " + bar.name]);
      const reported = first ? `+${(first.reported - first.time).toFixed(1)} s, ${percent(first.confidence)}` : "final at once";
      const cells = [[bar.id], label, [clock(bar.start)], [bar.open ? "open" : clock(bar.end)],
        [bar.open ? "" : (bar.end - bar.start).toFixed(1) + " s"], [reported]];
      return { t: bar.start, cells, open: () => onOpen(bar) };
    }));
  });
}

export function showActions(stream, truth, onJump) {
  const labels = new Map();
  for (const bar of stream.bars()) {
    const one = labels.get(bar.label) ?? { label: bar.label, name: "", times: 0, seconds: 0, first: bar.start };
    one.times++;
    one.seconds += bar.end - bar.start;
    one.name = bar.name || one.name;
    labels.set(bar.label, one);
  }
  const rows = [...labels.values()].sort((a, b) => a.label - b.label);
  const known = new Map(truth.filter((bar) => bar.label >= 0).map((bar) => [bar.label, bar.name]));
  fill(byId("actions"), rows.map((row) => [row.label, row.name, row.times, row.seconds.toFixed(0)]), () =>
    table(["action", ["segments"], ["time"], ...(truth.length ? ["known as"] : [])], rows.map((row) => ({
      t: row.first, open: () => onJump(row.first), cells: [element("span", {}, [swatch(row.label), " " + row.name]), [row.times],
        [row.seconds.toFixed(1) + " s"], ...(truth.length ? [known.get(row.label) ?? "-"] : [])] }))));
}

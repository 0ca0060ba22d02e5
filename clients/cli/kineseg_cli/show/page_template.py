"""The page's fixed parts: markup, style and script. Nothing in them is fetched from anywhere."""

from __future__ import annotations

from string import Template

STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #ffffff; --ink: #1f2933; --soft: #5f6c7b; --faint: #e1e5ea;
  --trace: #3e6c94; --hill: #8a94a6; --alarm: #c1121f; --report: #9a5b00;
  --note: #fff3d6; --note-ink: #6b4200; --note-edge: #e9c46a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161c; --card: #1b212a; --ink: #e6eaf0; --soft: #98a4b3; --faint: #2d3642; --trace: #7fb0dc;
    --hill: #7a8699; --alarm: #ff6b6b; --report: #e0a458;
    --note: #3a2f14; --note-ink: #ffd88a; --note-edge: #6e5a22; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 28px 24px 48px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px; margin-bottom: 4px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0 0 10px; }
.sub { color: var(--soft); margin: 0 0 20px; }
.badge { background: var(--note); color: var(--note-ink); border: 1px solid var(--note-edge); border-radius: 999px;
  padding: 3px 12px; font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin-bottom: 16px; }
.fact { background: var(--card); border: 1px solid var(--faint); border-radius: 10px; padding: 12px 16px; }
.fact b { display: block; font-size: 23px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.fact span { color: var(--soft); font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--faint); border-radius: 12px; padding: 18px 20px;
  margin-bottom: 16px; overflow-x: auto; }
.pair { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 3fr) minmax(0, 4fr); gap: 16px; }
.pair .card { margin-bottom: 16px; }
.stage { max-width: 270px; margin: 0 auto; }
@media (max-width: 1000px) { .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .pair > :last-child { grid-column: 1 / -1; } }
@media (max-width: 560px) { .facts { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); }
  .pair { grid-template-columns: minmax(0, 1fr); gap: 0; } }
svg { display: block; width: 100%; height: auto; overflow: visible; }
#timeline { min-width: 760px; cursor: crosshair; touch-action: pan-y; }
svg text { fill: var(--ink); font-family: inherit; }
svg text.soft { fill: var(--soft); }
svg .grid { stroke: var(--faint); stroke-width: 1; }
svg .trace { fill: none; stroke: var(--trace); stroke-width: 1; }
svg .hill { fill: var(--hill); fill-opacity: .35; stroke: var(--hill); stroke-width: 1; }
svg .cut { stroke: var(--ink); stroke-opacity: .45; stroke-width: 1; }
svg .stripe { stroke: var(--card); stroke-width: 7; }
svg .provisional { stroke-width: 1.5; }
svg .halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; font-weight: 700; }
svg .boundary { fill: none; stroke: var(--ink); stroke-width: 1.3; }
svg .boundary .mark { fill: var(--card); stroke-width: 1.6; }
svg .final .mark { fill: var(--ink); }
svg .retracted { stroke: var(--soft); stroke-opacity: .75; }
svg .open { stroke-dasharray: 3 2; }
svg .gap { fill: var(--soft); fill-opacity: .28; }
svg .alarm { fill: var(--alarm); }
svg .report { fill: var(--report); }
svg .path { fill: none; stroke: var(--soft); stroke-opacity: .3; stroke-width: .7; }
svg .dots { stroke-width: 5; stroke-linecap: round; stroke-opacity: .55; }
svg .limb { fill: none; stroke-linecap: round; stroke-linejoin: round; }
#cursor { stroke: var(--alarm); stroke-width: 1.3; visibility: hidden; }
#spot { fill: none; stroke: var(--ink); stroke-width: 2.5; visibility: hidden; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: 13px; }
th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--faint); white-space: nowrap; }
td.num, th.num { text-align: right; padding-right: 22px; }
td.wide { white-space: normal; width: 100%; }
tr:last-child td { border-bottom: 0; }
.dot { display: inline-block; min-width: 26px; border-radius: 6px; text-align: center; font-weight: 650;
  padding: 0 6px; }
.scroll { max-height: 420px; overflow-y: auto; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 16px; }
@media (max-width: 1000px) { .two { grid-template-columns: minmax(0, 1fr); gap: 0; } }
.here { min-height: 78px; color: var(--soft); font-size: 13.5px; margin: 8px 0 0; }
.here b { color: var(--ink); }
#tip { position: fixed; z-index: 9; pointer-events: none; visibility: hidden; background: var(--card);
  color: var(--ink); border: 1px solid var(--faint); border-radius: 8px;
  padding: 8px 12px; font-size: 13px; line-height: 1.45;
  box-shadow: 0 4px 18px rgba(0, 0, 0, .22); max-width: 300px; }
button, select { font: inherit; font-size: 13px; color: var(--ink); background: var(--paper);
  border: 1px solid var(--faint); border-radius: 8px; padding: 4px 16px; cursor: pointer; }
select { padding: 4px 6px; }
.player { position: sticky; left: 0; display: flex; flex-wrap: wrap; align-items: center; gap: 6px 18px;
  color: var(--soft); font-size: 13px; }
.player span { display: inline-flex; align-items: center; gap: 6px; }
.player .sign { width: 22px; }
.hatched { width: 26px; height: 14px; border-radius: 3px; border: 1px solid var(--trace);
  background: repeating-linear-gradient(135deg, var(--trace) 0 3px, transparent 3px 6px); }
#play { min-width: 76px; }
footer { color: var(--soft); font-size: 13px; }
"""

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const chart = byId("timeline"), cursor = byId("cursor"), tip = byId("tip"), spot = byId("spot"), here = byId("here");
const at = (bars, t) => t >= data.end ? bars.at(-1) : bars.find((bar) => t >= bar.start && t < bar.end);
const clock = (t) => Math.floor(t / 60) + ":" + (t % 60).toFixed(1).padStart(4, "0");
const nearest = (times, t) => {
  let low = 0, high = times.length - 1;
  while (low < high) { const mid = (low + high) >> 1; if (times[mid] < t) low = mid + 1; else high = mid; }
  return low;
};
function line(parent, strong, rest) {
  const row = document.createElement("div");
  if (strong) { const b = document.createElement("b"); b.textContent = strong; row.append(b, rest); }
  else row.textContent = rest;
  parent.append(row);
}
const called = (one) => one.label + (one.name ? " (" + one.name + ")" : "");
function describe(parent, t) {
  parent.replaceChildren();
  line(parent, clock(t), "");
  const bar = at(data.bars, t), truth = at(data.truth, t);
  if (bar) {
    line(parent, "action " + called(bar), ", segment " + bar.id + ", " + (bar.end - bar.start).toFixed(1) + " s");
    line(parent, "", clock(bar.start) + " to " + clock(bar.end) +
      (bar.reported === null ? "" : ", end reported " + Math.max(0, bar.reported - bar.end).toFixed(1) + " s later"));
  }
  if (truth) line(parent, "", "known truth: " + truth.name);
  const last = knownAt(t).at(-1);
  if (last) line(parent, "", "known by then: action " + called(last.v) + (last.v.confirmed ? "" :
    ", provisional, confidence " + percent(last.v.confidence)));
  const off = (one) => Math.abs(one.time - t);
  const near = data.provisional.filter((one) => off(one) < data.end / 150).sort((a, b) => off(a) - off(b));
  for (const one of near.slice(0, 3)) {
    line(parent, "", "provisional: action " + one.label + " from here, reported " +
      (one.reported - one.time).toFixed(1) + " s later, confidence " + percent(one.confidence) + "; " +
      (one.decided === null ? "still open" :
      one.outcome + " after another " + (one.decided - one.reported).toFixed(1) + " s"));
  }
  if (!data.curve.t.length) return;
  line(parent, "", "surprise " + Math.max(0, data.curve.score[nearest(data.curve.t, t)]).toFixed(1));
}
// The segments as they were known at a moment: what is not closed ends where the next begins, the last one now.
function knownAt(t) {
  const known = data.versions.filter((v) => v.from <= t && (v.until === null || t < v.until));
  known.sort((a, b) => a.start - b.start);
  return known.map((v, i) => ({ v, end: v.end ?? (known[i + 1] ? known[i + 1].start : t) }))
    .filter((one) => one.end > one.v.start);
}
const then = byId("then"), drawn = new Map();
const svg = (name, parent, values) => {
  const made = document.createElementNS(chart.namespaceURI, name);
  for (const key in values) made.setAttribute(key, values[key]);
  return parent.appendChild(made);
};
const across = (t) => data.left + (data.right - data.left) * t / data.end;
function draw(v) {
  const top = Number(then.dataset.top), height = Number(then.dataset.height), box = { y: top, height, rx: 4 };
  const group = svg("g", then, {});
  const back = svg("rect", group, { ...box, fill: v.color });
  const front = v.confirmed ? null
    : svg("rect", group, { ...box, fill: "url(#stripes)", stroke: v.color, class: "provisional" });
  const text = svg("text", group, { y: top + height / 2 + 5.4, "text-anchor": "middle", "font-size": 15 });
  if (v.confirmed) text.setAttribute("style", "font-weight:700;fill:" + v.ink); else text.setAttribute("class", "halo");
  return { group, back, front, text, end: null };
}
function drawKnown(t) {
  const known = knownAt(t), seen = new Set(known.map((one) => one.v));
  for (const [v, one] of drawn) one.group.style.display = seen.has(v) ? "" : "none";
  for (const { v, end } of known) {
    if (!drawn.has(v)) drawn.set(v, draw(v));
    const one = drawn.get(v);
    if (one.end === end) continue;
    one.end = end;
    const x = across(v.start), wide = across(end) - x;
    for (const rect of [one.back, one.front]) {
      if (!rect) continue;
      rect.setAttribute("x", x + 0.75); rect.setAttribute("width", Math.max(0.5, wide - 1.5));
    }
    one.text.setAttribute("x", x + wide / 2);
    const name = v.name || v.label;
    const words = v.confirmed ? [name, v.label] : [name + "? " + percent(v.confidence), name + "?", v.label + "?", "?"];
    one.text.textContent = words.find((word) => String(word).length * 8.7 + 3 <= wide) ?? "";
  }
  return known;
}
const percent = (share) => Math.round(100 * share) + "%";
function pose(t) {
  if (!data.pose) return;
  const i = Math.min(data.pose.frames.length - 1, Math.max(0, Math.round(t * data.pose.fps)));
  const p = data.pose.frames[i], bar = at(data.bars, t), color = bar ? bar.color : "#9aa0a6";
  const x = (j) => p[2 * j] / 100, y = (j) => -p[2 * j + 1] / 100;
  for (const [side, id] of [[-1, "far"], [0, "mid"], [1, "near"]]) {
    byId(id).setAttribute("d", data.pose.bones.filter((b) => b[2] === side)
      .map((b) => "M" + x(b[0]) + " " + y(b[0]) + "L" + x(b[1]) + " " + y(b[1])).join(""));
    byId(id).setAttribute("stroke", color);
  }
  byId("head").setAttribute("cx", x(data.pose.head));
  byId("head").setAttribute("cy", y(data.pose.head));
  byId("head").setAttribute("fill", color);
}
function show(t) {
  const x = across(t);
  cursor.setAttribute("x1", x); cursor.setAttribute("x2", x); cursor.style.visibility = "visible";
  if (data.curve.t.length && spot) {
    const i = nearest(data.curve.t, t);
    spot.setAttribute("cx", data.curve.x[i]);
    spot.setAttribute("cy", data.curve.y[i]);
    spot.style.visibility = "visible";
  }
  pose(t); describe(here, t); drawKnown(t);
}
chart.addEventListener("pointermove", (event) => {
  const box = chart.getBoundingClientRect();
  const x = (event.clientX - box.left) * chart.viewBox.baseVal.width / box.width;
  const t = (x - data.left) / (data.right - data.left) * data.end;
  if (t < 0 || t > data.end) { tip.style.visibility = "hidden"; return; }
  show(t); describe(tip, t);
  tip.style.visibility = "visible";
  const wide = tip.offsetWidth, high = tip.offsetHeight;
  tip.style.left = Math.min(event.clientX + 16, innerWidth - wide - 8) + "px";
  tip.style.top = (event.clientY + 18 + high > innerHeight ? event.clientY - high - 12 : event.clientY + 18) + "px";
});
chart.addEventListener("pointerleave", () => { tip.style.visibility = "hidden"; });
let playing = 0, from = 0, since = 0, speed = 1;
function step(now) {
  if (!playing) return;
  const t = from + (now - since) / 1000 * speed;
  if (t >= data.end) { stop(); return; }
  show(t); playing = requestAnimationFrame(step);
}
function stop() { cancelAnimationFrame(playing); playing = 0; byId("play").textContent = "Play"; }
function play() {
  const x = Number(cursor.getAttribute("x1"));
  from = Math.max(0, (x - data.left) / (data.right - data.left) * data.end);
  if (from > data.end - 0.2) from = 0;
  speed = Number(byId("speed").value); since = performance.now();
  byId("play").textContent = "Pause"; playing = requestAnimationFrame(step);
}
byId("play").addEventListener("click", () => { if (playing) stop(); else play(); });
byId("speed").addEventListener("change", () => { if (playing) { stop(); play(); } });
for (const row of document.querySelectorAll("tr[data-t]"))
  row.addEventListener("pointerenter", () => show(Number(row.dataset.t)));
// A link may name a moment, and say that the page plays on from there: #t=12.5&play
const asked = new URLSearchParams(location.hash.slice(1));
if (data.bars.length) show(Math.min(data.end, Math.max(0, Number(asked.get("t") ?? data.end) || 0)));
if (asked.has("play")) play();
"""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>$title - kineseg</title>
<style>$style</style>
</head>
<body>
<main>
<header><h1>$title</h1>$badge</header>
<p class="sub">$sub</p>
<section class="facts">$facts</section>
<section class="card"><div class="player"><button id="play" type="button">Play</button>
<label>speed <select id="speed"><option value="1">1x</option><option value="2">2x</option><option value="4">4x</option>
<option value="8">8x</option></select></label>$key</div>$timeline</section>
<section class="pair">
<div class="card"><h2>The motion in the embedding space</h2>$embedding</div>
<div class="card"><h2>At the cursor</h2>$pose<div class="here" id="here">Move over the timeline.</div></div>
<div class="card"><h2>Actions found</h2>$actions</div>
</section>
<section class="two">
<div class="card"><h2>Segments</h2><div class="scroll">$segments</div></div>
<div class="card"><h2>Events, in the order emitted</h2><div class="scroll">$events</div></div>
</section>
<footer>$footer</footer>
</main>
<div id="tip" role="status"></div>
<script id="data" type="application/json">$data</script>
<script>$script</script>
</body>
</html>
""")

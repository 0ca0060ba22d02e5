// The page put together: of live streams over a connection, or of a recording that the page itself holds.
import { pageColors } from "./palette.js";
import { Embedding } from "./embedding.js";
import { Link } from "./link.js";
import { byId, element, showActions, showAlerts, showEvents, showFacts, showHealth, showNow, showSegments, showStreams } from "./panels.js";
import { Stage } from "./stage.js";
import { Stream } from "./stream.js";
import { Timeline } from "./timeline.js";
import { called, clock, percent } from "./words.js";

const KEPT_S = 300, LEAST_SPAN_S = 4, FIRST_SPAN_S = 45, PANELS_EVERY_MS = 250;

const data = byId("data") ? JSON.parse(byId("data").textContent) : null;
const about = data?.about ?? { title: "kineseg live", facts: [], truth: [] };
const isLive = data === null;
const streams = new Map();
const view = { from: 0, to: FIRST_SPAN_S, span: FIRST_SPAN_S, cursor: 0, following: isLive };
const filter = { words: "", onlyOpen: false, onlyAlerts: false };
const knownNames = new Set();
let selectedStream = "", selectedBar = null, playing = null, canName = false, colors = pageColors(), dirty = true;
let panelsAt = 0, asked = 0;

const current = () => streams.get(selectedStream);
const redraw = () => { dirty = true; };

const stage = new Stage(byId("stage"), redraw);
const embedding = new Embedding(byId("embedding"));
const timeline = new Timeline(byId("timeline"), {
  onPlace: (t) => place(t),
  onPan: (seconds) => { leaveLive(); look(view.from + seconds); },
  onZoom: (by, t) => zoom(by, t),
  onBar: (bar) => selectBar(bar),
  onHover: (hit, event) => tip(hit, event),
});

// Where one looks.

function ends(stream) { return isLive ? [stream.earliest, stream.latest] : [0, Math.max(stream.latest, LEAST_SPAN_S)]; }

function look(from) {
  const [first, last] = ends(current()), room = view.span * 0.1;
  view.from = Math.max(Math.min(first, last - view.span), Math.min(from, last + (isLive ? room : 0) - view.span));
  if (!isLive) view.from = Math.max(0, Math.min(from, last - view.span));
  view.to = view.from + view.span;
  redraw();
}

function place(t) {
  const stream = current();
  if (!stream) return;
  const [first, last] = ends(stream);
  leaveLive();
  view.cursor = Math.max(first, Math.min(last, t));
  if (playing) startPlaying();
  if (view.cursor < view.from || view.cursor > view.to) look(view.cursor - view.span / 2);
  redraw();
}

function zoom(by, around = view.following ? view.to : view.cursor) {
  const stream = current();
  if (!stream) return;
  const [first, last] = ends(stream), share = (around - view.from) / view.span;
  view.span = Math.max(LEAST_SPAN_S, Math.min(view.span * by, isLive ? KEPT_S : last - first));
  if (!view.following) look(around - share * view.span);
  redraw();
}

function leaveLive() {
  view.following = false;
  redraw();
}

function goLive() {
  stopPlaying();
  view.following = isLive;
  if (!isLive) place(ends(current())[1]);
  redraw();
}

function startPlaying() {
  const stream = current();
  if (!stream) return;
  const [first, last] = ends(stream);
  if ((!isLive || stream.ended) && view.cursor > last - 0.2) { view.cursor = first; look(first); }
  playing = { from: view.cursor, since: performance.now(), speed: Number(byId("speed").value) };
  redraw();
}

function stopPlaying() {
  playing = null;
  redraw();
}

// Live and following, the button pauses; else it plays from the cursor on, until it has caught up. What has ended is
// played from its beginning.
function toggle() {
  if (follows(current())) leaveLive();
  else if (playing) stopPlaying();
  else { view.following = false; startPlaying(); }
}

function follows(stream) { return view.following && !stream?.ended; }

function jumpToAlert(direction) {
  const times = (current()?.alerts() ?? []).map((one) => one.start);
  const next = direction > 0 ? times.find((t) => t > view.cursor + 0.05) : times.findLast((t) => t < view.cursor - 0.05);
  if (next !== undefined) place(next);
}

function jumpToSegment(direction) {
  const bars = current()?.bars() ?? [];
  const at = selectedBar === null ? view.cursor : bars.find((bar) => bar.id === selectedBar)?.start ?? view.cursor;
  const next = direction > 0 ? bars.find((bar) => bar.start > at + 1e-6) : bars.findLast((bar) => bar.start < at - 1e-6);
  if (next) { place((next.start + next.end) / 2); selectBar(next); }
}

function select(id) {
  if (id === selectedStream) return;
  selectedStream = id;
  selectBar(null);
  stopPlaying();
  if (isLive) { view.following = true; link.send({ type: "select", stream: id }); }
  panelsAt = 0;
  redraw();
}

function nextStream(direction) {
  const ids = [...document.querySelectorAll("#stream-list button")].map((one) => one.dataset.key);
  const at = ids.indexOf(selectedStream);
  if (ids.length) select(ids[(at + direction + ids.length) % ids.length]);
}

// Naming.

function selectBar(bar) {
  selectedBar = bar?.id ?? null;
  byId("naming").hidden = !bar;
  byId("naming-answer").textContent = "";
  if (bar) byId("name").value = bar.given ? bar.name : "";
  showSelected();
  redraw();
}

function showSelected() {
  const bar = current()?.bars().find((one) => one.id === selectedBar);
  if (!bar) { if (selectedBar !== null && current()) selectBar(null); return; }
  const parts = [`Segment ${bar.id}: ${called(bar)}` + (bar.name ? ` (action ${bar.label})` : ""),
    `${clock(bar.start)} to ${bar.open ? "now" : clock(bar.end)}`];
  if (!bar.confirmed) parts.push(`provisional, confidence ${percent(bar.confidence)}`);
  if (bar.repeats) parts.push(`seen before in this stream: ${percent(bar.repeats)}`);
  if (bar.name && bar.sure) parts.push(`name sure to ${percent(bar.sure)}`);
  const words = parts.join(" · ");
  if (byId("selected").textContent !== words) byId("selected").textContent = words;
  for (const id of ["name-label", "teach"]) byId(id).hidden = !isLive || !canName;
  byId("teach").disabled = bar.open;
  byId("teach").title = bar.open ? "It can be named once it has ended" : "Segments like it get this name from now on";
}

byId("naming").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("name").value.trim();
  if (!name || byId("teach").disabled || !canName) return;
  answer("…");
  link.send({ type: "name", id: ++asked, stream: selectedStream, segment_id: selectedBar, name });
});

function answer(words, bad = false) {
  byId("naming-answer").textContent = words;
  byId("naming-answer").className = bad ? "bad" : "";
}

// What comes.

function take(message) {
  switch (message.type) {
    case "hello":
      streams.clear();
      byId("notice").hidden = true;
      canName = message.can_name;
      if (selectedStream) link.send({ type: "select", stream: selectedStream });
      break;
    case "stream":
      if (streams.has(message.stream)) streams.get(message.stream).take(message);
      else streams.set(message.stream, new Stream(message, isLive ? KEPT_S : Infinity));
      break;
    case "gone":
      streams.delete(message.stream);
      break;
    case "health":
      for (const [id, health] of Object.entries(message.streams)) if (streams.has(id)) streams.get(id).health = health;
      break;
    case "notice":
      byId("notice").textContent = message.text;
      byId("notice").hidden = !message.text;
      break;
    case "answer":
      if (message.id === asked) {
        if (message.error) answer(message.error, true);
        else answer(`Named. Segments like it are called ${message.name} from now on.`);
      }
      break;
    default:
      streams.get(message.stream)?.take(message);
      for (const event of message.events ?? []) if (event.name && !knownNames.has(event.name)) {
        knownNames.add(event.name);
        byId("names").append(element("option", { value: event.name }));
      }
  }
}

function takeAll(messages) {
  for (const message of messages) take(message);
  if (!streams.has(selectedStream) && streams.size) {
    const open = [...streams.values()].find((stream) => !stream.ended) ?? streams.values().next().value;
    select(open.info.stream);
  }
  redraw();
}

const STATES = { connected: "connected", lost: "connection lost, trying again",
  ended: "what sent this has ended; it goes on if that is started again", refused: "this page's token no longer holds: open the new address" };

function tip(hit, event) {
  const shown = byId("tip"), one = hit?.about, lines = [];
  if (one) {
    lines.push(`segment ${one.id}, ${called(one)}`, `${clock(one.start)} to ${one.open ? "now" : clock(one.end)}, ${(one.end - one.start).toFixed(1)} s`);
    lines.push(one.confirmed ? "final start" : `provisional, confidence ${percent(one.confidence)}`);
  } else if (hit?.alert) lines.push(hit.alert.text, clock(hit.alert.start) + (hit.alert.end === null ? ", goes on" : " to " + clock(hit.alert.end)));
  else if (hit?.gap) lines.push(`${hit.gap.event.missing_frames} frames missing`);
  shown.hidden = !lines.length;
  if (!lines.length) return;
  shown.textContent = lines.join("\n");
  shown.style.left = Math.min(event.clientX + 14, innerWidth - shown.offsetWidth - 8) + "px";
  const below = event.clientY + 16;
  shown.style.top = (below + shown.offsetHeight > innerHeight ? event.clientY - shown.offsetHeight - 10 : below) + "px";
}

// Drawing.

function step(now) {
  requestAnimationFrame(step);
  const stream = current();
  if (stream && playing) {
    const [first, last] = ends(stream);
    view.cursor = Math.max(first, playing.from + (now - playing.since) / 1000 * playing.speed);
    if (view.cursor >= last) {
      view.cursor = last;
      stopPlaying();
      view.following = isLive;
    } else if (view.cursor > view.to || view.cursor < view.from) look(view.cursor - view.span * 0.1);
    dirty = true;
  }
  if (!dirty) return;
  dirty = false;
  if (stream && view.following) {
    view.cursor = stream.latest;
    view.to = Math.max(stream.latest + view.span * 0.02, view.span);
    view.from = view.to - view.span;
  }
  stage.draw(stream, view.cursor, colors);
  if (stream) {
    timeline.draw(stream, view, colors, { truth: about.truth, selected: selectedBar });
    byId("clock").textContent = `${clock(view.cursor)} / ${clock(stream.latest)}`;
  }
  byId("play").textContent = follows(stream) || playing ? "Pause" : "Play";
  byId("live").setAttribute("aria-pressed", String(view.following));
  if (now - panelsAt > PANELS_EVERY_MS || !panelsAt) {
    panelsAt = now;
    panels(stream);
  } else setTimeout(redraw, PANELS_EVERY_MS);
}

function panels(stream) {
  byId("layout").classList.toggle("alone", streams.size < 2);
  showStreams([...streams.values()], selectedStream, filter, select);
  for (const id of ["body-card", "now-card", "embedding-card", "timeline-card"]) byId(id).inert = !stream;
  if (!stream) {
    byId("now").textContent = isLive ? "No stream yet" : "";
    byId("now-more").textContent = isLive ? "Streams show up here as soon as they are opened." : "";
    return;
  }
  embedding.draw(stream, view.cursor, colors);
  byId("share").textContent = stream.share ? `two directions, ${percent(stream.share)} of the variance` : "";
  byId("body-card").hidden = !stream.info.body;
  byId("views").classList.toggle("bodiless", !stream.info.body);
  if (isLive) {
    byId("title").textContent = stream.info.name;
    byId("subtitle").textContent = stream.info.source;
    document.title = stream.info.name + " - kineseg";
    byId("badge").hidden = !stream.info.synthetic;
    byId("badge").textContent = "synthetic motion: made by a program";
  }
  showNow(stream, view.cursor, view.following);
  showHealth(stream, isLive);
  showAlerts(stream, place);
  showEvents(stream, place);
  showActions(stream, about.truth, place);
  showSegments(stream, (bar) => { place((bar.start + bar.end) / 2); selectBar(bar); });
  showSelected();
  const alerts = stream.alerts();
  byId("alert-before").disabled = byId("alert-after").disabled = !alerts.length;
}

// Buttons and keys.

byId("play").addEventListener("click", toggle);
byId("live").addEventListener("click", goLive);
byId("speed").addEventListener("change", () => { if (playing) startPlaying(); });
byId("wider").addEventListener("click", () => zoom(1.5));
byId("closer").addEventListener("click", () => zoom(1 / 1.5));
byId("alert-before").addEventListener("click", () => jumpToAlert(-1));
byId("alert-after").addEventListener("click", () => jumpToAlert(1));
byId("unselect").addEventListener("click", () => selectBar(null));
byId("filter").addEventListener("input", (event) => { filter.words = event.target.value.trim(); panelsAt = 0; redraw(); });
byId("only-open").addEventListener("change", (event) => { filter.onlyOpen = event.target.checked; panelsAt = 0; redraw(); });
byId("only-alerts").addEventListener("change", (event) => { filter.onlyAlerts = event.target.checked; panelsAt = 0; redraw(); });

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { selectBar(null); event.target.blur?.(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return; // it presses the button
  const keys = {
    " ": toggle, ArrowLeft: () => place(view.cursor - (event.shiftKey ? 10 : 1)), ArrowRight: () => place(view.cursor + (event.shiftKey ? 10 : 1)),
    Home: () => current() && place(ends(current())[0]), End: goLive, "+": () => zoom(1 / 1.5), "-": () => zoom(1.5), a: () => jumpToAlert(1), A: () => jumpToAlert(-1),
    "[": () => jumpToSegment(-1), "]": () => jumpToSegment(1), j: () => nextStream(1), k: () => nextStream(-1), "/": () => byId("filter").focus(),
    n: () => { const bar = current()?.barAt(view.cursor); if (bar) { selectBar(bar); byId("name").focus(); } },
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colors = pageColors(); panelsAt = 0; redraw(); });
new ResizeObserver(() => { panelsAt = 0; redraw(); }).observe(document.body);

// Begin.

byId("title").textContent = about.title;
byId("subtitle").textContent = about.subtitle ?? "";
byId("badge").hidden = !about.badge;
byId("badge").textContent = about.badge ?? "";
byId("footer").textContent = about.footer ?? "";
byId("actions-card").hidden = false;
showFacts(about.facts);
byId("live").hidden = !isLive;

const link = isLive ? new Link({
  onMessages: takeAll,
  onState: (state) => {
    byId("link").className = "state " + state;
    byId("link").textContent = STATES[state];
  },
}) : null;

if (!isLive) {
  takeAll(data.messages);
  // A link may name a moment, and say that the page plays on from there: #t=12.5&play
  const wanted = new URLSearchParams(location.hash.slice(1)), stream = current();
  if (stream) {
    view.span = ends(stream)[1];
    look(0);
    place(wanted.has("t") ? Number(wanted.get("t")) || 0 : ends(stream)[1]);
    if (wanted.has("play")) startPlaying();
  }
}
requestAnimationFrame(step);

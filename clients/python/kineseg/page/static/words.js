// Times, shares and events in words.
export const clock = (t) => {
  const tenths = Math.round(Math.max(0, t) * 10);
  return Math.floor(tenths / 600) + ":" + String(Math.floor(tenths % 600 / 10)).padStart(2, "0") + "." + tenths % 10;
};

export const percent = (share) => Math.round(100 * share) + "%";

export const called = (one) => one.name || "action " + one.label;

export function rarity(hours, rule) {
  if (rule) return "as " + rule + " says";
  if (hours >= 8766) return "once in a year or less";
  if (hours >= 48) return "once in " + (hours / 24).toFixed(1) + " days";
  if (hours >= 1) return "once in " + hours.toFixed(1) + " hours";
  return "once in " + (hours * 60).toFixed(1) + " minutes";
}

const plainly = (kind) => kind.replaceAll("_", " ");

export function describe(event) {
  const action = event.name ? `${event.name} (action ${event.label})` : `action ${event.label}`;
  const sure = event.confirmed === false ? `, provisional, confidence ${percent(event.confidence)}` : "";
  switch (event.kind) {
    case "segment_started": return `segment ${event.segment_id} began at ${clock(event.time_s)}: ${action}${sure}`;
    case "segment_updated":
      return `segment ${event.segment_id} from ${clock(event.time_s)}: ${action}${sure || ", confirmed"}`;
    case "segment_retracted":
      return `segment ${event.segment_id} is retracted: nothing new began at ${clock(event.time_s)}`;
    case "segment_closed":
      return `segment ${event.segment_id} is ${action}: ${clock(event.start_time_s)} to ${clock(event.end_time_s)}`;
    case "labels_merged": return `actions ${event.label} and ${event.into} are one: ${event.into} from now on`;
    case "anomaly":
      return `anomaly ${event.anomaly_id}: ${event.text} (${plainly(event.anomaly_kind)}, ` +
        `${rarity(event.severity, event.rule)})`;
    case "anomaly_updated": return `anomaly ${event.anomaly_id} goes on: ${event.text}`;
    case "anomaly_cleared": return `anomaly ${event.anomaly_id} is over: ${event.text}, ${event.duration_s.toFixed(1)} s`;
    case "gap":
      return `gap: ${event.missing_frames} frames missing (${event.duration_s.toFixed(2)} s), ` +
        (event.cuts ? "too long to be filled" : "filled");
    case "missing_values":
      return (event.returned ? "values are back: " : "values are missing: ") + event.channels.slice(0, 4).join(", ") +
        (event.channels.length > 4 ? ` and ${event.channels.length - 4} more` : "");
    case "summary": return `end of stream (${event.reason}): ${event.frames} frames, ${event.segments} segments`;
    case "named_here": return `segment ${event.segment_id} was named ${event.name} here`;
    default: return plainly(String(event.kind));
  }
}

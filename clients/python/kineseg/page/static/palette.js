// One colour for every label, the same as in the terminal and the picture: Okabe and Ito's palette, then Paul Tol's
// "muted", which colour-blind people can tell apart. Whatever has a colour also has a number or a name.
const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#882255", "#44AA99",
  "#999933", "#6A5ACD", "#8C6D46"];
const SHADES = [[0, 0], [255, 0.5], [0, 0.45]];
const UNKNOWN = "#9AA0A6";
const made = new Map();

const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

export function colorOf(label) {
  if (label === undefined || label === null || label < 0) return UNKNOWN;
  if (!made.has(label)) {
    const [towards, share] = SHADES[Math.floor(label / PALETTE.length) % SHADES.length];
    const mixed = channels(PALETTE[label % PALETTE.length]).map((c) => Math.round(c * (1 - share) + towards * share));
    made.set(label, "#" + mixed.map((c) => c.toString(16).padStart(2, "0")).join(""));
  }
  return made.get(label);
}

export function inkOn(color) {
  const [red, green, blue] = channels(color).map((c) => c / 255);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 ? "#000000" : "#FFFFFF";
}

// The colours of the page itself, which follow the system's scheme.
export function pageColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "card", "ink", "soft", "faint", "trace", "hill", "alarm", "report", "cursor"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
}

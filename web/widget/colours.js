// The shop's accent colour, and what goes with it: text on it, and itself as text, chosen so that both can be read (WCAG 2.2 AA).

const ENOUGH = 4.5;
// The grounds on which the accent is text, of style.js: the harder of the two in each scheme.
const LIGHT = { ground: [242, 236, 227], ink: [0, 0, 0] };
const DARK = { ground: [35, 49, 50], ink: [255, 255, 255] };

/** Custom properties for the host's style, or null where `colour` is no opaque one: a name, #hex, rgb() or hsl(). */
export function accents(colour) {
  const accent = parsed(colour);
  if (!accent) return null;
  const white = [255, 255, 255];
  const black = [16, 33, 31];
  return {
    "--accent": css(accent),
    "--on-accent": css(contrast(accent, white) >= ENOUGH ? white : contrast(accent, black) >= ENOUGH ? black : [0, 0, 0]),
    "--accent-on-light": css(readable(accent, LIGHT)),
    "--accent-on-dark": css(readable(accent, DARK)),
  };
}

function parsed(colour) {
  if (!colour || !CSS.supports("color", colour)) return null;
  const brush = document.createElement("canvas").getContext("2d");
  brush.fillStyle = colour;
  const digits = /^#(..)(..)(..)$/.exec(brush.fillStyle); // how an opaque colour is written back, whatever its name was
  return digits && digits.slice(1).map((pair) => parseInt(pair, 16));
}

function readable(colour, { ground, ink }) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((value, index) => Math.round(value * (1 - share) + ink[index] * share));
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return ink;
}

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour) {
  const shares = colour.map((value) => value / 255);
  const [red, green, blue] = shares.map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

// Elements. Whatever came from a shopper or from the server goes in as text, never as markup: nothing here parses any.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  chat: "M4 5.5h16v11H11l-4.5 3.5v-3.5H4z",
  close: "M6 6l12 12M18 6L6 18",
  menu: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  send: "M12 19V5M6 11l6-6 6 6",
  clip: "M19 11.5l-7 7a4.6 4.6 0 0 1-6.5-6.5l7.5-7.5a3 3 0 0 1 4.3 4.3l-7.3 7.3a1.5 1.5 0 0 1-2.1-2.1l6.6-6.6",
  camera: "M4 8h3.5l1.5-2.5h6L16.5 8H20v11H4zM12 16.2a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  pin: "M12 21c4-4.5 6-7.6 6-10.5a6 6 0 0 0-12 0C6 13.4 8 16.5 12 21zM12 12.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z",
  waiting: "M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M12 8v4l2.5 2",
  sent: "M5 12.5l4.5 4.5L19 7.5",
  read: "M2 12.5L6.5 17 15 8M11 15.5l1.5 1.5L22 7.5",
};

/**
 * An element. Attributes that are false, null or undefined are left out; one that is a function listens to the event of its name.
 * Children are nodes, or texts; empty ones are left out.
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value != null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== ""));
  return made;
}

export function button(attributes, ...children) {
  return make("button", { type: "button", ...attributes }, ...children);
}

/** A round button with only an icon to see; `name` is for whoever cannot see it. */
export function iconButton(icon, name, attributes) {
  return button({ "aria-label": name, title: name, ...attributes, class: `round ${attributes.class ?? ""}` }, drawn(icon));
}

/** `icon`: a name of ICONS, or the path of another drawing on 24 by 24. */
export function drawn(icon) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[icon] ?? icon);
  svg.append(path);
  return svg;
}

/** Only for screen readers. */
export function unseen(text) {
  return make("span", { class: "unseen" }, text);
}

/** Fills in {names}. Each given value is put in once, as it is. */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A full http(s) address, or null for anything else ("javascript:", "data:", nonsense). `base`: what it is relative to. */
export function webAddress(given, base) {
  try {
    const address = given ? new URL(given, base) : null;
    return ["http:", "https:"].includes(address?.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

/** A link to `address`, which has passed webAddress. */
export function link(address, attributes, ...children) {
  return make("a", { href: address, target: "_blank", rel: "noopener", ...attributes }, ...children);
}

/** The styles of a shadow root, as the strictest Content-Security-Policy allows them. */
export function dress(root, ...texts) {
  root.adoptedStyleSheets = texts.map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
}

// Elements, made without markup.

const PICTURES = "/webhooks/webchat/static/demo/pictures.svg";
const SVG = "http://www.w3.org/2000/svg";

/** An element. given: attributes, or by "on..." a listener; true is an attribute without value, false or null none. */
export function make(tag, given = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside.filter((each) => each != null));
  return element;
}

/** The drawing of a product on its tile, in a colour of the catalogue. */
export function picture(handle, colour) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 200 200");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${PICTURES}#${handle}`);
  svg.append(use);
  return make("span", { class: "picture", "data-colour": colour }, svg);
}

export function closing(dialog, label) {
  return make("button", { class: "close", type: "button", "aria-label": label, onclick: () => dialog.close() }, "×");
}

/** Put these in the place of what an element has; what is null is left out. */
export function fill(element, ...inside) {
  element.replaceChildren(...inside.filter((each) => each != null));
}

/** Words for everybody, also for those who do not see the page. */
export function announce(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  clearTimeout(said.timer);
  said.timer = setTimeout(() => { said.textContent = ""; }, 5000);
}

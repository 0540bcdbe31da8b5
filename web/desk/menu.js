// A button with a list of things to do behind it.

import { button, make } from "../widget/dom.js";

let count = 0;

/**
 * `opener`: the attributes of the button; `face`: what is on it; `items()`: [{title, act, key?, isNow?}] or nodes, asked for each time.
 */
export function menuButton(opener, face, items) {
  const id = `menu-${++count}`;
  const list = make("div", { class: "menu", id, hidden: true });
  const open = button({ "aria-expanded": "false", "aria-controls": id, ...opener, click: () => (list.hidden ? show() : hide()) }, face);
  const box = make("div", { class: "menu-box", keydown: (event) => keyed(event) }, open, list);

  const show = () => {
    list.replaceChildren(...items().filter(Boolean).map((each) => (each instanceof Node ? each : entry(each))));
    list.hidden = false;
    open.setAttribute("aria-expanded", "true");
    list.querySelector("button, a, select")?.focus();
    document.addEventListener("pointerdown", outside, true);
  };
  const hide = (toOpener = true) => {
    if (list.hidden) return;
    list.hidden = true;
    open.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (toOpener) open.focus();
  };
  const outside = (event) => {
    if (!box.contains(event.target)) hide(false);
  };
  const entry = ({ title, act, key, isNow }) => {
    const tap = () => (hide(), act());
    return button({ class: "menu-item", "aria-current": isNow ? "true" : null, click: tap }, make("span", {}, title), key ? make("kbd", {}, key) : null);
  };
  const keyed = (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      hide();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || list.hidden) return;
    event.preventDefault();
    const all = [...list.querySelectorAll("button, a, select")];
    const at = all.indexOf(document.activeElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !box.contains(relatedTarget)) hide(false);
  });
  return { element: box, button: open, hide };
}

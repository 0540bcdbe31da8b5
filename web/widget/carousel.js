// Cards beside each other: swiped on a phone, moved with arrows elsewhere, and with the keyboard by going through their buttons.

import { iconButton, make } from "./dom.js";

/** `cards`: list items. */
export function carousel(cards, words) {
  const shelf = make("ul", { class: "shelf", tabindex: "0", "aria-label": words.cards, role: "list" }, cards);
  const arrows = ["back", "next"].map((icon, index) => {
    const way = index ? 1 : -1;
    const name = index ? words.next : words.previous;
    return iconButton(icon, name, { class: "arrow", click: () => move(shelf, way) });
  });
  const box = make("div", { class: "carousel", part: "carousel" }, shelf, cards.length > 1 ? arrows : null);
  const mark = () => arrows.forEach((arrow, index) => arrow.setAttribute("aria-disabled", isAtEnd(shelf, index)));
  shelf.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(() => {
    box.classList.toggle("fits", shelf.scrollWidth <= shelf.clientWidth);
    mark();
  }).observe(shelf);
  return box;
}

function move(shelf, way) {
  const step = shelf.firstElementChild.offsetWidth + 8;
  shelf.scrollBy({ left: way * direction(shelf) * step, behavior: isCalm() ? "auto" : "smooth" });
}

function isAtEnd(shelf, isLast) {
  const gone = Math.abs(shelf.scrollLeft); // it is negative from right to left
  return isLast ? gone >= shelf.scrollWidth - shelf.clientWidth - 2 : gone <= 2;
}

function direction(shelf) {
  return getComputedStyle(shelf).direction === "rtl" ? -1 : 1;
}

function isCalm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Short words at the edge of the page, read out as they come. Those that offer something stay until they are closed.

import { button, iconButton, make } from "../widget/dom.js";
import { words } from "./words.js";

const STAYS = 8000; // milliseconds
const MOST = 4;

const polite = make("div", { class: "toasts-list", role: "status" });
const urgent = make("div", { class: "toasts-list", role: "alert" });
export const toasts = make("section", { class: "toasts", "data-toasts": true }, urgent, polite);

/** `offer`: {title, act, stays?}, or several; one that `stays` leaves the others. `inside`: nodes that belong to it. */
export function toast(text, { offer, inside = null, isUrgent = false, kind = "" } = {}) {
  const close = () => one.remove();
  const offers = [offer].flat().filter(Boolean);
  const offered = ({ title, act, stays }) => {
    const shorter = () => [taken, ...(inside ?? [])].forEach((each) => each.remove());
    const taken = button({ class: "link", click: () => (stays ? shorter() : close(), act()) }, title);
    return taken;
  };
  const one = make(
    "div",
    { class: `toast ${kind}` },
    make("div", { class: "toast-inside" }, make("p", { dir: "auto" }, text), inside, offers.length > 1 || inside ? make("div", { class: "toast-offers" }, offers.map(offered)) : null),
    offers.length === 1 && !inside ? offered(offers[0]) : null,
    iconButton("close", words.close, { class: "plain small-round", click: close }),
  );
  (isUrgent ? urgent : polite).append(one);
  const all = toasts.querySelectorAll(".toast");
  if (all.length > MOST) all[0].remove();
  if (!offers.length && !isUrgent) fade(one, close);
}

/** Whoever is just reading it is not hurried. */
function fade(one, close) {
  const over = () => (one.matches(":hover, :focus-within") ? setTimeout(over, STAYS) : close());
  setTimeout(over, STAYS);
}

const voice = make("p", { class: "unseen", "aria-live": "polite" });
toasts.append(voice);

/** Only for screen readers. */
export function announce(text) {
  voice.textContent = text;
}

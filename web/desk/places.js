// Where the agent is, as the address says: #/mine/12/known, #/reports. The browser's "back" leads back.

import { VIEWS } from "./items.js";

export const PAGES = ["reports", "people", "audit", "account"];

/** {view, handoff, pane: "list" | "conversation" | "known"}, or {page}. */
export function placeOf(hash) {
  const [first, id, last] = hash.replace(/^#\/?/, "").split("/");
  if (PAGES.includes(first)) return { page: first };
  const view = VIEWS.includes(first) ? first : "queue";
  const handoff = /^\d+$/.test(id ?? "") ? Number(id) : null;
  return { view, handoff, pane: handoff === null ? "list" : last === "known" ? "known" : "conversation" };
}

export function hashOf({ page, view, handoff, pane }) {
  if (page) return `#/${page}`;
  const parts = [view, handoff, handoff && pane === "known" ? "known" : null];
  return `#/${parts.filter((part) => part !== null && part !== undefined).join("/")}`;
}

export function here() {
  return placeOf(location.hash);
}

export function go(place) {
  location.hash = hashOf(place);
}

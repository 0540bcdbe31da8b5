// What an item of the list is: whose, how urgent, in which of the lists, in which order.

import { now, until } from "./clock.js";

const OPEN = ["queued", "callback", "assigned", "snoozed"];
export const VIEWS = ["queue", "mine", "all", "snoozed", "closed"];
export const FILTERS = ["queue", "language", "channel", "topic", "reason"];

export const isOpen = (item) => OPEN.includes(item.state);
export const isWaiting = (item) => item.state === "queued" || item.state === "callback";
export const isOf = (item, name) => item.assignee === name && (item.state === "assigned" || item.state === "snoozed");

const IN_VIEW = {
  queue: (item) => isWaiting(item),
  mine: (item, me) => item.state === "assigned" && item.assignee === me.name,
  all: (item) => isOpen(item),
  snoozed: (item, me) => item.state === "snoozed" && (item.assignee === me.name || me.permissions.includes("see_all")),
};

/** The items of a view in their order. `filters`: {queue, language, ..., q}. */
export function inView(view, items, me, filters) {
  const belongs = IN_VIEW[view];
  if (!belongs) return [];
  return items.filter((item) => belongs(item, me) && passes(item, filters)).sort(ORDER[view]);
}

export function countIn(view, items, me) {
  return items.reduce((count, item) => count + (IN_VIEW[view](item, me) ? 1 : 0), 0);
}

function passes(item, { q = "", ...filters }) {
  if (FILTERS.some((name) => filters[name] && item[name] !== filters[name])) return false;
  const wanted = q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return true;
  const known = [item.shown_name, item.customer?.name, item.customer?.number, item.last?.text, item.assignee, `#${item.id}`];
  const text = known.filter(Boolean).join(" ").toLocaleLowerCase();
  return wanted.every((each) => text.includes(each));
}

const dueAt = (item) => (item.sla ? Date.parse(item.sla.due_at) : Infinity);
const first = (one, other) => (one === other ? 0 : one < other ? -1 : 1);
const byDue = (one, other) => first(dueAt(one), dueAt(other)) || first(one.created_at, other.created_at) || one.id - other.id;
const isAwaited = (item) => (item.awaiting_since ? 0 : 1);
const lastAt = (item) => item.last?.at ?? item.created_at;
const ORDER = {
  queue: byDue,
  mine: (one, other) => isAwaited(one) - isAwaited(other) || (isAwaited(one) ? -first(lastAt(one), lastAt(other)) : byDue(one, other)),
  all: byDue,
  snoozed: (one, other) => first(one.snoozed_until ?? "", other.snoozed_until ?? "") || one.id - other.id,
};

/** "late", "soon" (past the warning) or "fine"; null: no clock runs. */
export function urgency(item) {
  if (!item.sla) return null;
  if (item.sla.is_breached || until(item.sla.due_at) <= 0) return "late";
  return item.sla.warn_at && until(item.sla.warn_at) <= 0 ? "soon" : "fine";
}

/** Milliseconds that somebody has waited for an answer; null: nobody does. */
export function waitOf(item) {
  const since = item.awaiting_since ?? (isWaiting(item) ? item.created_at : null);
  return since ? now() - Date.parse(since) : null;
}

/** Whether only a template reaches the shopper. */
export function isWindowClosed(item) {
  if (!item.window) return false;
  return !item.window.is_open || (item.window.closes_at !== null && until(item.window.closes_at) <= 0);
}

// Days, periods, money and lists as they are written where the agent is.

import { now } from "./clock.js";
import { locale, say } from "./words.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAY_ONLY = /^\d{4}-\d\d-\d\d$/;

const made = new Map();

/** One formatter for each use: making one is what costs. */
function formatter(kind, options) {
  const key = `${kind} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl[kind](locale, options));
  return made.get(key);
}

/** What is no instant stays as it is: one odd value of the server's must not leave a whole pane empty. */
function written(options, instant) {
  const at = new Date(DAY_ONLY.test(instant) ? `${instant}T12:00:00` : instant); // midnight of UTC is the day before elsewhere
  return Number.isNaN(at.valueOf()) ? String(instant) : formatter("DateTimeFormat", options).format(at);
}

export function time(instant) {
  return written({ hour: "numeric", minute: "2-digit" }, instant);
}

export function date(instant) {
  return written({ dateStyle: "medium" }, instant);
}

export function dateTime(instant) {
  return written({ dateStyle: "medium", timeStyle: "short" }, instant);
}

/** "Fri, 6:00 AM" in the next days, else "Dec 24, 6:00 AM": where there is little room. */
export function soon(instant) {
  const day = Math.abs(Date.parse(instant) - now()) < 6 * DAY ? { weekday: "short" } : { month: "short", day: "numeric" };
  return written({ ...day, hour: "numeric", minute: "2-digit" }, instant);
}

/** "Today", "Yesterday", "Monday 3 November". */
export function dayName(instant) {
  const midnight = (day) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
  const at = new Date(instant);
  const ago = Math.round((midnight(at) - midnight(new Date(now()))) / DAY);
  const long = { weekday: "long", day: "numeric", month: "long" };
  const name = ago > -2 ? formatter("RelativeTimeFormat", { numeric: "auto" }).format(ago, "day") : formatter("DateTimeFormat", long).format(at);
  return name[0].toLocaleUpperCase(locale) + name.slice(1);
}

/** "12 s", "4 min", "2 h 5 min", "3 d": for what is only to be seen roughly. `span`: milliseconds. */
export function period(span) {
  const length = Math.max(0, span);
  if (length < MINUTE) return unit(Math.floor(length / 1000), "second");
  if (length < HOUR) return unit(Math.floor(length / MINUTE), "minute");
  if (length < DAY) return [unit(Math.floor(length / HOUR), "hour"), minutesOf(length)].filter(Boolean).join(" ");
  return unit(Math.floor(length / DAY), "day");
}

function minutesOf(span) {
  const minutes = Math.floor((span % HOUR) / MINUTE);
  return minutes ? unit(minutes, "minute") : "";
}

function unit(count, name) {
  return formatter("NumberFormat", { style: "unit", unit: name, unitDisplay: "short" }).format(count);
}

/** What counts down: "4:05" in the last hour, else as `period`. */
export function countdown(span) {
  const seconds = Math.max(0, Math.ceil(span / 1000));
  if (seconds >= 3600) return period(span);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function number(value, options = {}) {
  return formatter("NumberFormat", options).format(value);
}

/** `given`: {minor, currency}. */
export function money(given) {
  const format = formatter("NumberFormat", { style: "currency", currency: given.currency });
  return format.format(given.minor / 10 ** fractionDigits(given.currency));
}

/** How many digits a currency has behind its point. */
export function fractionDigits(currency) {
  return formatter("NumberFormat", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}

export function listed(texts) {
  return formatter("ListFormat", { type: "conjunction", style: "narrow" }).format(texts);
}

export function languageName(code) {
  const name = new Intl.DisplayNames([locale], { type: "language", fallback: "code" }).of(code);
  return name[0].toLocaleUpperCase(locale) + name.slice(1);
}

/** A value of the server's, whatever it is: money, an instant, yes or no, a list, a text. */
export function shown(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return say(value ? "yes" : "no");
  if (Array.isArray(value)) return listed(value.map(shown));
  if (typeof value === "number") return number(value);
  if (typeof value === "object") return "minor" in value ? money(value) : listed(Object.values(value).map(shown));
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return dateTime(value);
  if (DAY_ONLY.test(value)) return date(value);
  return String(value);
}

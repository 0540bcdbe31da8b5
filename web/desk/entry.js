// An entry of the transcript: whose, what, when, over which channel, and how far it has come.

import { button, drawn, make } from "../widget/dom.js";
import { inWords, Refusal } from "./api.js";
import { dateTime, shown, time } from "./formats.js";
import { ICONS } from "./icons.js";
import { filesOf, partsOf } from "./parts.js";
import { nameOf } from "./row.js";
import { language, named, say, titled, words } from "./words.js";

const MARKS = {
  waiting: "waiting",
  sending: "waiting",
  sent: "sent",
  delivered: "read",
  read: "read",
  failed: ICONS.failed,
  refused: ICONS.failed,
  held: ICONS.held,
  withheld: ICONS.held,
};
const IS_BAD = ["failed", "refused", "withheld"];

/** `acts`: {again(entry), withdraw(entry)} for what did not go out. */
export function entryElement(entry, desk, item, acts) {
  if (entry.by === "event") return eventElement(entry, desk);
  const box = make("article", { class: `entry ${entry.by}`, "aria-label": labelOf(entry, item) });
  if (entry.is_other_conversation) box.classList.add("other");
  const inside = entry.local ? localParts(entry) : partsOf(entry);
  box.append(head(entry, item), make("div", { class: "bubble" }, inside.length ? inside : make("p", { class: "hint" }, entry.is_taken_back ? words.taken_back : words.nothing_to_show)));
  const mark = markElement(entry, acts);
  if (mark) box.append(mark);
  return box;
}

function labelOf(entry, item) {
  return `${writerOf(entry, item)}, ${dateTime(entry.at)}`;
}

function writerOf(entry, item) {
  if (entry.by === "note") return say("note_by", { name: entry.name ?? "" });
  if (entry.by === "agent") return entry.name ?? named("by", "agent");
  return entry.by === "shopper" ? nameOf(item) : named("by", entry.by);
}

function head(entry, item) {
  const facts = [entry.by === "note" ? null : named("channel", entry.channel), entry.is_other_conversation ? words.other_conversation : null];
  return make(
    "p",
    { class: "entry-head" },
    entry.by === "note" ? drawn(ICONS.note) : null,
    make("bdi", { class: "writer" }, writerOf(entry, item)),
    facts.filter(Boolean).map((fact) => make("span", { class: "entry-fact" }, fact)),
    make("time", { datetime: entry.at, title: dateTime(entry.at) }, time(entry.at)),
  );
}

function localParts({ text, files, shown: template }) {
  const parts = [{ kind: "text", text: text || template }];
  return [...partsOf({ parts }), ...filesOf(files.map(({ name }) => ({ name })))];
}

function markElement(entry, acts) {
  if (!entry.mark || entry.by === "shopper") return null;
  const isBad = IS_BAD.includes(entry.mark);
  const again = button({ class: "link", click: () => acts.again(entry) }, words.try_again);
  const withdraw = button({ class: "link", click: () => acts.withdraw(entry) }, words.take_back);
  return make(
    "p",
    { class: isBad ? "mark bad" : "mark", "data-mark": entry.mark },
    drawn(MARKS[entry.mark] ?? "sent"),
    make("span", {}, markText(entry)),
    isBad && entry.by !== "assistant" ? again : null,
    entry.local && entry.mark !== "sending" ? withdraw : null,
  );
}

function markText({ mark, error, refusal }) {
  if (refusal) return inWords(new Refusal(1, { error: refusal.code, ...refusal.body }));
  return error ? `${named("mark", mark)}: ${named("failure", error)}` : named("mark", mark);
}

/** "Marta took it over." What is said of a kind may depend on who did it, and why. */
function eventElement(entry, desk) {
  const details = entry.details ?? {};
  const kind = entry.event ?? "";
  const isByName = entry.name || details.by;
  const tellings = [isByName && "by", details.why, details.reason].filter(Boolean).map((more) => `event_${kind}_${more}`);
  const key = tellings.find((each) => Object.hasOwn(words, each)) ?? `event_${kind}`;
  const values = {
    by: isByName ?? "",
    to: details.agent ?? details.to ?? (details.queue ? titled(desk.queues, details.queue) : ""),
    until: details.until ? dateTime(details.until) : "",
    reason: details.resolution ? titled(desk.reasons, details.resolution) : "",
    level: details.level ? named("sla", details.level) : "",
    act: details.act ? titled(desk.acts, details.act) : "",
  };
  const text = key in words ? say(key, values).replace(/:\s*$/, "") : [kind.replaceAll("_", " "), isByName].filter(Boolean).join(" · ");
  const note = details.note ? make("q", { dir: "auto" }, shown(details.note)) : null;
  return make("p", { class: "event", lang: language }, make("span", { dir: "auto" }, text), " ", note, " ", make("time", { datetime: entry.at, title: dateTime(entry.at) }, time(entry.at)));
}

// What can be done with a conversation, each with its key: who may, what is asked first, and what becomes of it.

import { inWords } from "./api.js";
import { now } from "./clock.js";
import { field, opened } from "./dialog.js";
import { dateTime, number } from "./formats.js";
import { isOf, isOpen, isWaiting } from "./items.js";
import { LastWords } from "./last_words.js";
import { nameOf } from "./row.js";
import { toast } from "./toasts.js";
import { named, say, titled, words } from "./words.js";

const HOUR = 3_600_000;

/** {name, key, isPossible(item, desk), act(item, desk)}, in the order in which they are offered. */
export const MOVES = [
  { name: "take", key: "t", isPossible: (item) => isWaiting(item), act: take },
  {
    name: "take_over",
    key: "o",
    isPossible: (item, desk) => isOpen(item) && item.assignee && item.assignee !== desk.me.name && desk.may("take_over"),
    act: takeOver,
  },
  { name: "resolve", key: "e", isPossible: isMine, act: resolve },
  { name: "give_back", key: "b", isPossible: isMine, act: giveBack },
  { name: "transfer", key: "f", isPossible: (item, desk) => isMine(item, desk) || (isOpen(item) && desk.may("take_over")), act: transfer },
  { name: "snooze", key: "s", isPossible: (item, desk) => isMine(item, desk) && item.state === "assigned", act: snooze },
  { name: "wake", key: "s", isPossible: (item, desk) => isMine(item, desk) && item.state === "snoozed", act: wake },
  { name: "release", key: "l", isPossible: isMine, act: release },
];

export function possibleMoves(item, desk) {
  return MOVES.filter((move) => move.isPossible(item, desk));
}

function isMine(item, desk) {
  return isOf(item, desk.me.name);
}

/** Does it at once, and says what the server refuses. Resolves: whether it was done. */
async function tried(desk, item, path, body, guess, done) {
  try {
    await desk.move(item.id, path, body, guess);
    if (done) toast(done);
    return true;
  } catch (refusal) {
    refused(refusal, desk, item);
    return false;
  }
}

function refused(refusal, desk, item) {
  const mayTakeOver = refusal.code === "taken" && desk.may("take_over");
  const offer = mayTakeOver ? { title: words.take_over, act: () => takeOver(desk.items.get(item.id) ?? item, desk) } : null;
  toast(inWords(refusal), { isUrgent: true, kind: "bad", offer });
}

function take(item, desk) {
  return tried(desk, item, "take", {}, { state: "assigned", assignee: desk.me.name });
}

async function takeOver(item, desk) {
  const text = say("take_over_ask", { name: item.assignee ?? "" });
  let isDone = false;
  await opened({ title: words.take_over, text, yes: words.take_over }, async () => {
    await desk.move(item.id, "take", { over: true }, { state: "assigned", assignee: desk.me.name });
    isDone = true;
  });
  return isDone;
}

function wake(item, desk) {
  return tried(desk, item, "wake", {}, { state: "assigned", snoozed_until: null }, words.woken);
}

async function release(item, desk) {
  const content = { title: words.release, text: say("release_ask", { name: nameOf(item) }), yes: words.release };
  return opened(content, () => desk.move(item.id, "release", {}, { state: "queued", assignee: null }).then(() => toast(words.released)));
}

function resolve(item, desk) {
  const known = (list, name) => (list.some((each) => each.name === name) ? name : undefined);
  const choices = (list) => list.map(({ name, title }) => ({ value: name, title }));
  const fields = [
    field({ name: "reason", label: words.resolve_reason, type: "choice", required: true, choices: choices(desk.reasons) }),
    field({ name: "topic", label: words.resolve_topic, type: "choice", required: true, choices: choices(desk.topics), value: known(desk.topics, item.topic) }),
    field({ name: "note", label: words.resolve_note, type: "long", hint: words.note_hint }),
  ];
  const last = new LastWords(item, desk);
  const content = { title: words.resolve, text: say("resolve_ask", { name: nameOf(item) }), fields, below: last.element, yes: words.resolve };
  return opened(content, async (values) => {
    await last.move("resolve", withoutEmpty(values), { state: "resolved", assignee: null });
    toast(say("resolved", { name: nameOf(item) }));
  });
}

function giveBack(item, desk) {
  const goal = desk.open?.id === item.id ? desk.open.packet?.suspended?.title : null;
  const text = goal ? say("give_back_goal", { goal }) : words.give_back_ask;
  const fields = [field({ name: "instruction", label: words.instruction, type: "long", hint: words.instruction_hint, maxlength: "500" })];
  const last = new LastWords(item, desk);
  return opened({ title: words.give_back, text, fields, below: last.element, yes: words.give_back }, async (values) => {
    await last.move("give-back", withoutEmpty(values), { state: "given_back", assignee: null });
    toast(words.given_back);
  });
}

function transfer(item, desk) {
  const queues = desk.queues
    .filter(({ name }) => name !== item.queue || item.assignee)
    .map(({ name, title }) => ({ value: `queue ${name}`, title: say("queue_named", { queue: title }) }));
  const people = desk.agents
    .filter((agent) => agent.name !== item.assignee)
    .sort((one, other) => other.is_there - one.is_there || one.load / one.capacity - other.load / other.capacity)
    .map((agent) => ({ value: `agent ${agent.name}`, title: agent.name, hint: standing(agent, item) }));
  const fields = [
    field({ name: "to", label: words.transfer_to, type: "radios", required: true, choices: [...queues, ...people] }),
    field({ name: "note", label: words.transfer_note, type: "long", hint: words.note_hint }),
  ];
  return opened({ title: words.transfer, fields, yes: words.transfer }, async ({ to, note }) => {
    const [kind, ...rest] = to.split(" ");
    const target = rest.join(" ");
    const guess = kind === "queue" ? { queue: target, assignee: null, state: "queued" } : { assignee: target, state: "assigned" };
    await desk.move(item.id, "transfer", withoutEmpty({ [kind]: target, note }), guess);
    toast(say("transferred", { to: kind === "queue" ? titled(desk.queues, target) : target }));
  });
}

/** "Available · 2 of 4 · speaks no Norwegian": whether it is a good idea to send somebody more. */
export function standing(agent, item) {
  const facts = [presence(agent), say("load", { load: number(agent.load), capacity: number(agent.capacity) })];
  if (item && agent.languages?.length && !agent.languages.includes(item.language)) facts.push(words.other_language);
  return facts.join(" · ");
}

export function presence(agent) {
  return agent.is_there ? named("status", agent.status) : words.not_there;
}

function snooze(item, desk) {
  const opening = Date.parse(desk.opensTomorrowAt) > now() ? desk.opensTomorrowAt : tomorrowMorning();
  const inAnHour = new Date(now() + HOUR).toISOString();
  const choices = [
    { value: inAnHour, title: words.snooze_hour, hint: dateTime(inAnHour) },
    { value: opening, title: words.snooze_tomorrow, hint: dateTime(opening) },
    { value: "other", title: words.snooze_date },
  ];
  const when = field({ name: "until", label: words.snooze_until, type: "radios", required: true, choices, value: inAnHour });
  const isPast = (value) => (other() && (!value || Date.parse(value) <= now()) ? words.field_past : "");
  const day = field({ name: "day", label: words.snooze_day, type: "instant", required: false, check: isPast });
  const other = () => when.read() === "other";
  const follow = () => (day.element.hidden = !other());
  for (const input of when.inputs) input.addEventListener("change", follow);
  follow();
  const last = new LastWords(item, desk);
  return opened({ title: words.snooze, text: words.snooze_ask, fields: [when, day], below: last.element, yes: words.snooze }, async (values) => {
    const until = values.until === "other" ? new Date(values.day).toISOString() : values.until;
    await last.move("snooze", { until }, { state: "snoozed", snoozed_until: until });
    toast(say("snoozed", { until: dateTime(until) }));
  });
}

function tomorrowMorning() {
  const day = new Date(now());
  day.setDate(day.getDate() + 1);
  day.setHours(9, 0, 0, 0);
  return day.toISOString();
}

function withoutEmpty(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}


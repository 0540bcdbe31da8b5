// The menu at the panel's head: things to ask, what the shopper allows, and what can be done with the whole conversation.

import { allow, isAllowed } from "./attention.js";
import { button, make } from "./dom.js";
import { confirmed, showWhatsApp } from "./sheets.js";

const LONGEST_URL_LIFE = 10_000; // milliseconds, in which the browser has begun to save the file

/** `view`: the panel's View. `opener`: the button that opens the menu. Returns what opens and closes it. */
export function menu(view, opener) {
  const box = make("div", { class: "menu", part: "menu", role: "group", "aria-label": view.words.menu, hidden: true });
  const close = ({ focus = false } = {}) => {
    box.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    if (focus) opener.focus();
  };
  const open = () => {
    box.replaceChildren(...items(view, close));
    box.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    box.querySelector("button").focus();
  };
  const keyed = (event) => {
    if (event.key !== "Escape" || box.hidden) return;
    event.stopPropagation();
    close({ focus: true });
  };
  for (const each of [box, opener]) each.addEventListener("keydown", keyed);
  box.addEventListener("focusout", ({ relatedTarget: to }) => {
    if (to && !box.contains(to) && !opener.contains(to)) close();
  });
  view.panel.addEventListener("pointerdown", ({ target }) => {
    if (!box.contains(target) && !opener.contains(target)) close();
  });
  opener.after(box);
  return () => (box.hidden ? open() : close());
}

function items(view, close) {
  const { chat, words, panel } = view;
  const act = (name, done) =>
    button({ click: () => (close({ focus: true }), done()) }, name);
  const ask = async (question, yes, done) => (await confirmed(panel, question, yes, words.keep)) && done();
  const ideas = view.ideas.map((idea) => act(idea, () => view.say(idea)));
  const linked = chat.entries.findLast(({ event }) => event === "on_whatsapp" || event === "unlinked");
  const isLinked = linked?.event === "on_whatsapp";
  const canGoOn = !isLinked && view.takesWhatsApp && chat.abilities?.whatsapp;
  return [
    ideas.length ? make("p", { class: "section" }, words.ideas_title) : null,
    ...ideas,
    make("hr"),
    toggle(view, "sound"),
    globalThis.Notification ? toggle(view, "notifications") : null,
    make("hr"),
    canGoOn ? act(words.whatsapp, () => goOnInWhatsApp(view)) : null,
    isLinked ? act(words.unlink, () => chat.unlink()) : null,
    act(words.transcript, () => save(view)),
    view.isOver ? null : act(words.end, () => ask(words.end_sure, words.end, () => chat.end())),
    act(words.restart, () => ask(words.restart_sure, words.restart, () => view.restart())),
  ].filter(Boolean);
}

function toggle(view, key) {
  const { memory, words } = view;
  const flip = async () => {
    const isOn = !isAllowed(memory, key);
    if (!(await allow(memory, key, isOn))) return view.tell(words[`${key}_blocked`]);
    tap.setAttribute("aria-checked", isOn);
  };
  const tap = button({ role: "switch", "aria-checked": String(isAllowed(memory, key)), click: flip }, words[key], make("i"));
  return tap;
}

async function goOnInWhatsApp({ chat, panel, words, tell }) {
  try {
    showWhatsApp(panel, (await chat.whatsapp()).link, words);
  } catch {
    tell(words.whatsapp_not_now);
  }
}

async function save({ chat, words, language }) {
  const names = { shopper: words.you, assistant: words.assistant, agent: words.assistant };
  const who = Object.fromEntries(Object.entries(names).map(([by, name]) => [by, name.replace(/:$/, "")]));
  const times = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const text = await chat.transcript({ ...who, place: words.place, events: words }, (at) => times.format(new Date(at)));
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const day = new Date().toISOString().slice(0, 10);
  make("a", { href: address, download: `${words.title} ${day}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(address), LONGEST_URL_LIFE);
}

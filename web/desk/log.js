// The transcript: entries by day, those on their way, and who is typing. It follows the newest unless the agent has scrolled up, and asks for
// older ones at its top.

import { button, drawn, make } from "../widget/dom.js";
import { now } from "./clock.js";
import { entryElement } from "./entry.js";
import { dayName, listed } from "./formats.js";
import { announce } from "./toasts.js";
import { nameOf, setText } from "./row.js";
import { say, words } from "./words.js";

const NEAR = 60; // pixels from the end that count as being there
const ABOVE = 400; // pixels from the top at which older ones are asked for
const TYPING_LASTS = 12_000; // milliseconds, unless it is said again

export class Log {
  /** `acts`: see entryElement. */
  constructor(desk, outbox, acts) {
    Object.assign(this, { desk, outbox, acts });
    this.shown = new Map(); // by key: {element, of}
    this.follows = true;
    this.older = make("p", { class: "event", hidden: true }, words.older);
    this.list = make("div", { class: "entries" });
    this.typing = make("p", { class: "typing-line", hidden: true });
    this.scroller = make("div", { class: "log", role: "log", "aria-live": "off", "aria-label": words.transcript, tabindex: "0", scroll: () => this.scrolled() }, this.older, this.list, this.typing);
    this.pill = button({ class: "pill", hidden: true, click: () => this.toEnd() }, drawn("down"), words.new_messages);
    this.element = make("div", { class: "log-frame" }, this.scroller, this.pill);
    const grown = new ResizeObserver(() => this.settle());
    grown.observe(this.list);
    grown.observe(this.scroller);
    for (const type of ["visibilitychange", "focus"]) (type === "focus" ? window : document).addEventListener(type, () => this.look());
    setInterval(() => this.drawTyping(), 1000);
  }

  draw() {
    const { open, item } = this.desk;
    if (this.id !== open.id) this.begin(open.id);
    const before = { first: this.first, height: this.scroller.scrollHeight, top: this.scroller.scrollTop };
    const wanted = [...this.wanted(open, item)];
    this.announceNews(open.entries, item);
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, { element }] of this.shown) {
      if (keys.has(key)) continue;
      this.shown.delete(key);
      element.remove();
    }
    let next = this.list.firstChild;
    for (const { element } of wanted) {
      if (element === next) next = next.nextSibling;
      else this.list.insertBefore(element, next);
    }
    this.first = open.entries[0]?.id;
    this.drawTyping();
    this.keepPlace(before, open);
  }

  begin(id) {
    Object.assign(this, { id, follows: true, first: undefined, newest: undefined, top: 0 });
    this.shown.clear();
    this.list.replaceChildren();
    this.pill.hidden = true;
  }

  *wanted(open, item) {
    let day = "";
    for (const entry of [...open.entries, ...this.onTheirWay(open)]) {
      const at = new Date(entry.at).toDateString();
      if (at !== day) yield this.one(`day ${at}`, at, () => make("h3", { class: "day" }, dayName(entry.at)));
      day = at;
      yield this.one(entry.id, entry, () => entryElement(entry, this.desk, item, this.acts));
    }
  }

  /** What is in the outbox, unless its entry has come by another way already. */
  onTheirWay(open) {
    const here = new Set(open.entries.map((entry) => entry.sent_as).filter(Boolean));
    return this.outbox.of(open.id).filter(({ id }) => !here.has(id)).map((one) => this.asEntry(one));
  }

  /** The same object as long as nothing about it has changed: its element stays. */
  asEntry(one) {
    const { me, link } = this.desk;
    const mark = one.state === "waiting" && link !== "up" ? "waiting" : one.state === "waiting" ? "sending" : one.state;
    const known = this.shown.get(`local ${one.id}`)?.of;
    if (known?.mark === mark && known.refusal === one.refusal) return known;
    const by = one.kind === "note" ? "note" : "agent";
    const { text, files, shown, at, refusal } = one;
    return { id: `local ${one.id}`, by, name: me.name, channel: this.desk.item?.channel, at, mark, local: one.id, text, files, shown, refusal };
  }

  one(key, of, made) {
    const known = this.shown.get(key);
    if (known?.of === of) return { key, ...known };
    const fresh = { element: made(), of };
    known?.element.replaceWith(fresh.element);
    this.shown.set(key, fresh);
    return { key, ...fresh };
  }

  announceNews(entries, item) {
    const last = entries.at(-1);
    const isNews = this.newest !== undefined && last && last.id !== this.newest && last.by === "shopper";
    if (isNews) announce(`${nameOf(item)}: ${(last.parts ?? []).map((part) => part.text ?? part.name ?? "").join(" ")}`);
    this.newest = last?.id ?? this.newest ?? "";
  }

  drawTyping() {
    const { open, item } = this.desk;
    if (!open || !item) return;
    for (const [by, at] of open.typing) if (now() - at > TYPING_LASTS) open.typing.delete(by);
    const who = [...open.typing.keys()].filter((by) => by !== this.desk.me.name).map((by) => (by === "shopper" ? nameOf(item) : by));
    this.typing.hidden = !who.length;
    if (who.length) setText(this.typing, say("types", { who: listed(who) }));
    this.settle();
  }

  keepPlace(before, open) {
    const last = [...this.shown.keys()].length ? (this.outbox.of(open.id).at(-1)?.id ?? open.entries.at(-1)?.id) : undefined;
    const isNews = this.last !== undefined && last !== this.last;
    const isOwn = isNews && this.outbox.of(open.id).some(({ id }) => id === last);
    this.last = last;
    if (isOwn) this.follows = true;
    const grown = this.scroller.scrollHeight - before.height;
    if (!this.follows && before.first !== undefined && this.first !== before.first) this.scroller.scrollTop = before.top + grown;
    if (!this.follows && isNews && this.first === before.first) this.pill.hidden = false;
    this.settle();
  }

  toEnd() {
    this.follows = true;
    this.settle();
    this.scroller.focus({ preventScroll: true });
  }

  settle() {
    if (this.follows) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.scrolled();
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!clientHeight) return;
    const isNear = scrollHeight - clientHeight - scrollTop < NEAR;
    if (isNear || scrollTop < this.top) this.follows = isNear;
    this.top = scrollTop;
    if (this.follows) this.pill.hidden = true;
    this.look();
    if (scrollTop < ABOVE && this.desk.open?.has_more) this.loadOlder();
  }

  /** What the agent has before their eyes is read. */
  look() {
    const isSeen = document.visibilityState === "visible" && document.hasFocus() && this.scroller.clientHeight > 0;
    if (isSeen && this.follows) this.desk.read();
  }

  async loadOlder() {
    if (!this.older.hidden) return;
    this.older.hidden = false;
    const came = await this.desk.older();
    this.older.hidden = true;
    if (came) this.scrolled();
  }
}

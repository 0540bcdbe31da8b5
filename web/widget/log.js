// The conversation as it is seen: entries by day, what is on its way, who is typing. It follows the newest entry unless the
// shopper has scrolled up, and gets older ones at its top. Only what comes while it is open is read out: the history is not.

import { addressesIn } from "./addresses.js";
import { button, drawn, filled, make, unseen } from "./dom.js";
import { partsOf, placeCard, retire, shopperFiles, spend } from "./parts.js";
import { speech } from "./speech.js";

const NEAR = 60; // pixels from the end that count as being there
const ABOVE = 300; // pixels from the top at which older entries are asked for
const EVENTS = ["ended", "signed_in", "signed_out", "on_whatsapp", "unlinked"];

export class Log {
  /**
   * `desk`: as parts.js wants it, and {language, correct(pending)}. `welcome`: what stands above the conversation.
   * `isSeen`: whether the shopper is looking.
   */
  constructor(chat, desk, welcome, isSeen) {
    Object.assign(this, { chat, desk, isSeen });
    this.shown = new Map(); // by key: what has been drawn, see `draw`
    this.started = null; // the newest entry when the log was opened: what is newer is read out
    this.follows = true;
    const { words } = desk;
    this.older = make("p", { class: "note", hidden: true }, words.older);
    this.history = make("div");
    this.news = make("div", { "aria-live": "polite", "aria-relevant": "additions" });
    this.dots = make("div", { class: "typing", role: "status", part: "typing" });
    this.content = make("div", { class: "content" }, this.older, welcome, this.history, this.news, this.dots);
    const role = { role: "log", "aria-live": "off", "aria-label": words.conversation, tabindex: "0" };
    this.scroller = make("div", { class: "log", part: "log", ...role, scroll: () => this.scrolled() }, this.content);
    const toEnd = () => this.toEnd();
    this.pill = button({ class: "pill", part: "pill", hidden: true, click: toEnd }, drawn("down"), words.new_messages);
    this.element = make("div", { class: "frame" }, this.scroller, this.pill);
    const times = { hour: "numeric", minute: "2-digit" };
    this.clock = new Intl.DateTimeFormat(desk.language, times);
    this.calendar = new Intl.DateTimeFormat(desk.language, { weekday: "long", day: "numeric", month: "long" });
    this.nearDays = new Intl.RelativeTimeFormat(desk.language, { numeric: "auto" });
    const grown = new ResizeObserver(() => this.settle()); // a picture has loaded, the keyboard has come up
    grown.observe(this.content);
    grown.observe(this.scroller);
  }

  /** Brings what is seen in line with the chat. An element that stays is left alone: a screen reader would read it again. */
  draw() {
    const { entries, pending, abilities } = this.chat;
    if (abilities && abilities.conversation !== this.conversation) this.begin(abilities, entries);
    const before = { first: this.first, height: this.scroller.scrollHeight, top: this.scroller.scrollTop };
    const items = [...this.items(entries, pending)];
    this.forget(items);
    place(this.history, items.filter((item) => !item.isNew).map((item) => item.element));
    place(this.news, items.filter((item) => item.isNew).map((item) => item.element));
    this.mark(entries, pending);
    this.type();
    this.first = entries[0]?.seq;
    this.keepPlace(before, items);
  }

  begin({ conversation, seq = 0 }, entries) {
    this.conversation = conversation;
    this.started = Math.max(seq, entries.at(-1)?.seq ?? 0);
    this.looked = 0;
  }

  toEnd() {
    this.follows = true;
    this.settle();
  }

  /** What the shopper has before their eyes counts as read. */
  look() {
    const newest = this.chat.entries.at(-1)?.seq;
    if (!newest || newest === this.looked || !this.follows || !this.isSeen()) return;
    this.looked = newest;
    this.chat.read(newest);
  }

  *items(entries, pending) {
    let day = "";
    for (const one of [...entries, ...pending]) {
      const at = one.at ? new Date(one.at) : new Date();
      const isNew = !one.by || (this.started !== null && one.seq > this.started);
      const today = at.toDateString();
      if (today !== day) yield this.item(`day ${today}`, isNew, () => make("div", { class: "day", part: "day" }, this.dayOf(at)));
      day = today;
      yield this.item(keyOf(one), isNew, () => this.bubble(one, at));
    }
  }

  item(key, isNew, made) {
    if (!this.shown.has(key)) this.shown.set(key, { element: made(), isNew });
    return Object.assign(this.shown.get(key), { key });
  }

  forget(items) {
    const wanted = new Set(items.map((item) => item.key));
    for (const [key, { element }] of this.shown) {
      if (wanted.has(key)) continue;
      this.shown.delete(key);
      element.remove();
    }
  }

  bubble(one, at) {
    if (one.event) return this.note(one);
    const by = one.by ?? "shopper";
    const box = make("div", { class: `entry ${by === "shopper" ? "shopper" : "shop"}`, part: `entry ${by}` });
    const { words } = this.desk;
    const isNamed = by === "agent" && one.name;
    const who = by === "shopper" ? words.you : words.assistant;
    box.append(isNamed ? make("span", { class: "name", dir: "auto" }, one.name) : unseen(`${who} `));
    box.append(...(by === "shopper" ? this.spoken(one) : partsOf(one, this.deskOf(one))));
    box.append(make("div", { class: "meta" }, make("time", { datetime: at.toISOString() }, this.clock.format(at))));
    return box;
  }

  note(entry) {
    if (!EVENTS.includes(entry.event)) return make("div", { hidden: true });
    const text = filled(this.desk.words[entry.event], { digits: entry.digits ?? "" });
    return make("p", { class: "note", part: "note" }, text);
  }

  spoken(one) {
    const text = one.text ? [speech(one.text)] : [];
    const place = one.place || one.type === "place" ? [placeCard(one.place ?? one, this.desk)] : [];
    const files = make("div", { class: "files" }, shopperFiles(one.files ?? [], this.deskOf(one)));
    return [...(one.place ? [] : text), ...place, files];
  }

  /** The desk for the parts of one entry: a choice is taken of that entry, an address in it is renewed. */
  deskOf(entry) {
    const choose = ({ index, title }, event) => this.desk.choose(entry.seq, index, title, event);
    const renewed = async (given) => addressesIn(await this.chat.renew(entry.seq))[addressesIn(entry).indexOf(given)];
    return { ...this.desk, choose, came: this.chat.cameAt(entry.seq), renewed };
  }

  /** What changes about entries that are shown already: taken choices, what was answered, sent and read marks. */
  mark(entries, pending) {
    const taken = new Map();
    for (const { chose } of entries) if (chose) taken.set(chose.seq, chose.choice);
    for (const each of pending) if (each.type === "choose" && each.state !== "refused") taken.set(each.seq, each.choice);
    const isUnderWay = pending.some((each) => each.state !== "refused");
    const lastOwn = isUnderWay ? Infinity : (entries.findLast((entry) => entry.by === "shopper")?.seq ?? 0);
    for (const entry of entries) {
      const { element } = this.shown.get(keyOf(entry)) ?? {};
      if (!element) continue;
      spend(element, taken.get(entry.seq), this.desk.words);
      retire(element, entry.seq < lastOwn);
      if (entry.by === "shopper") this.markOwn(element, entry.seq <= this.chat.readByShop ? "read" : "sent", entry);
    }
    for (const each of pending) {
      const { element } = this.shown.get(keyOf(each)) ?? {};
      if (element) this.markOwn(element, each.state === "refused" ? "refused" : "waiting", each);
    }
  }

  markOwn(element, state, one) {
    if (element.dataset.state === state) return;
    const { words } = this.desk;
    if (element.dataset.state && one.by) this.nowKept(element, one);
    element.dataset.state = state;
    element.querySelector(".mark, .mend")?.remove();
    if (state === "refused") return element.append(this.mend(one));
    const mark = make("span", { class: "mark", title: words[state] }, drawn(state), unseen(words[state]));
    element.querySelector(".meta").append(mark);
  }

  /** The server has it: its files have addresses now. */
  nowKept(element, entry) {
    if (entry.files?.length) element.querySelector(".files")?.replaceChildren(...shopperFiles(entry.files, this.deskOf(entry)));
  }

  mend(pending) {
    const { words } = this.desk;
    const known = ["too_long", "unknown_choice", "unknown_file"].includes(pending.why) ? pending.why : "not_sent";
    const text = filled(words[known], { most: this.chat.abilities?.text_most ?? 2000 });
    return button({ class: "mend", click: () => this.desk.correct(pending) }, text);
  }

  type() {
    const by = this.chat.isTyping;
    if (this.dots.dataset.by === (by ?? "")) return;
    this.dots.dataset.by = by ?? "";
    const { words } = this.desk;
    const dots = [0, 1, 2].map(() => make("i"));
    this.dots.replaceChildren(...(by ? [unseen(by === "agent" ? words.typing_agent : words.typing), ...dots] : []));
  }

  keepPlace(before, items) {
    const last = items.at(-1);
    const isOwnNews = last && last !== this.last && last.element.classList.contains("shopper") && last.isNew;
    const isNews = last && last !== this.last && last.isNew && !isOwnNews;
    this.last = last;
    if (isOwnNews) this.follows = true;
    const grown = this.scroller.scrollHeight - before.height;
    if (!this.follows && this.first !== before.first) this.scroller.scrollTop = before.top + grown;
    if (!this.follows && isNews) this.pill.hidden = false;
    this.settle();
  }

  settle() {
    if (this.follows && this.last) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.scrolled();
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!clientHeight) return; // it is not shown
    const isNear = scrollHeight - clientHeight - scrollTop < NEAR;
    // Only who moves up leaves the end: that a picture made the log longer is no reason not to follow it.
    if (isNear || scrollTop < this.top) this.follows = isNear;
    this.top = scrollTop;
    if (this.follows) this.pill.hidden = true;
    this.look();
    if (scrollTop < ABOVE && this.chat.hasMore) this.loadOlder();
  }

  async loadOlder() {
    if (this.isLoading) return;
    this.isLoading = true;
    this.older.hidden = false;
    const came = await this.chat.more();
    this.older.hidden = true;
    this.isLoading = false;
    if (came) this.scrolled(); // a short page does not fill the log
  }

  dayOf(at) {
    const midnight = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
    const ago = Math.round((midnight(at) - midnight(new Date())) / 86_400_000);
    const name = ago > -2 ? this.nearDays.format(ago, "day") : this.calendar.format(at);
    return name[0].toLocaleUpperCase(this.desk.language) + name.slice(1);
  }
}

/** What an entry has in common with the pending message that it comes of. */
function keyOf(one) {
  return one.id ?? `seq ${one.seq}`;
}

/** The children of `box` become `elements`; those that stay where they are are not touched. */
function place(box, elements) {
  let here = box.firstChild;
  for (const element of elements) {
    if (element === here) here = here.nextSibling;
    else box.insertBefore(element, here);
  }
}

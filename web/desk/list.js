// The list of conversations. Of thousands only those that are seen are elements; whatever comes, the row that somebody looks at or
// has the focus on stays where it is.

import { button, drawn, make } from "../widget/dom.js";
import { get, inWords, query } from "./api.js";
import { languageName, number } from "./formats.js";
import { ICONS } from "./icons.js";
import { countIn, FILTERS, inView } from "./items.js";
import { go, hashOf, here } from "./places.js";
import { Row } from "./row.js";
import { named, say, titled, words } from "./words.js";

const AROUND = 4; // rows beyond what is seen
const TYPED = 300; // milliseconds after the last key before the server is asked

export class List {
  constructor(desk) {
    this.desk = desk;
    this.view = "queue";
    this.height = 96;
    this.filters = {};
    this.items = [];
    this.rows = new Map(); // by id: those that are elements
    this.closed = { items: [], has_more: false, isAsking: false, refusal: null };
    this.rest = null; // the id of the row that the keyboard rests on
    this.tabs = make("div", { class: "tabs" });
    this.search = make("input", { type: "search", class: "search-box", "aria-label": words.search, placeholder: words.search, autocomplete: "off", input: () => this.searched() });
    const opens = { "aria-expanded": "false", "aria-controls": "filters", click: () => this.toggleFilters() };
    this.filterCount = make("span", { class: "badge", hidden: true });
    this.filterButton = button({ class: "soft filter-button", ...opens }, drawn(ICONS.filter), make("span", {}, words.filters), this.filterCount);
    this.filterBox = make("div", { class: "filters", id: "filters", hidden: true });
    const available = button({ class: "link", click: () => this.desk.setStatus("available") }, words.become_available);
    this.away = make("div", { class: "away-hint", hidden: true }, make("p", {}, words.away_hint), available);
    this.box = make("ol", { class: "rows", role: "list" });
    this.note = make("p", { class: "empty" });
    this.more = button({ class: "soft more", hidden: true, click: () => this.askClosed(true) }, words.more_results);
    this.scroller = make("div", { class: "rows-scroller", scroll: () => this.later(), keydown: (event) => this.keyed(event) }, this.box, this.note, this.more);
    this.summary = make("p", { class: "unseen", role: "status" });
    this.heading = make("h2", { class: "unseen", id: "list-title" });
    this.element = make(
      "section",
      { class: "pane list", "aria-labelledby": "list-title" },
      this.heading,
      make("nav", { "aria-label": words.lists }, this.tabs),
      this.away,
      make("div", { class: "search", role: "search" }, this.search, this.filterButton),
      this.filterBox,
      this.summary,
      this.scroller,
    );
    this.scroller.addEventListener("pointermove", ({ target }) => (this.hovered = target.closest?.(".row")?.dataset.id));
    this.scroller.addEventListener("pointerleave", () => (this.hovered = null));
    this.scroller.addEventListener("focusin", ({ target }) => this.rested(target));
    new ResizeObserver(() => this.later()).observe(this.scroller);
    setInterval(() => this.tick(), 1000);
    desk.on("items agents me typing", () => this.later());
  }

  /** Another view, or another conversation of it. */
  show(view) {
    if (view !== this.view) {
      this.view = view;
      this.rest = null;
      this.scroller.scrollTop = 0;
      if (view === "closed") this.askClosed();
    }
    this.draw();
  }

  /** Once a frame is enough, however much comes. */
  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    this.away.hidden = this.desk.me.status !== "away";
    this.drawTabs();
    this.drawFilters();
    const anchor = this.anchor();
    const filters = { ...this.filters, q: this.search.value };
    this.items = this.view === "closed" ? this.closed.items : inView(this.view, this.desk.all(), this.desk.me, filters);
    this.measure();
    this.box.style.height = `${this.items.length * this.height}px`;
    this.keep(anchor);
    this.render();
    this.drawNote();
  }

  /** Every row is as high as the first: it depends on the size of the text that the agent has chosen. */
  measure() {
    const size = `${getComputedStyle(this.scroller).fontSize} ${this.scroller.clientWidth}`;
    if (size === this.size || !this.items.length) return;
    const row = new Row(this.desk, () => "#");
    row.draw(this.items[0], { view: this.view });
    this.box.append(row.element);
    const height = Math.ceil(row.element.getBoundingClientRect().height);
    row.element.remove();
    if (!height) return; // not to be seen at this moment
    this.size = size;
    this.height = height;
  }

  /** The row whose place on the screen must not change: {id, offset}. */
  anchor() {
    const { scrollTop, clientHeight } = this.scroller;
    const at = (id) => this.items.findIndex((item) => item.id === id);
    const isSeen = (index) => index >= 0 && index * this.height > scrollTop - this.height && index * this.height < scrollTop + clientHeight;
    const isFocused = this.box.contains(document.activeElement);
    const wanted = [isFocused ? at(this.rest) : -1, at(Number(this.hovered)), scrollTop > 0 ? Math.floor(scrollTop / this.height) : -1];
    const index = wanted.find(isSeen);
    return index === undefined || !this.items[index] ? null : { id: this.items[index].id, offset: index * this.height - scrollTop };
  }

  keep(anchor) {
    const index = anchor ? this.items.findIndex((item) => item.id === anchor.id) : -1;
    if (index < 0) return;
    const top = Math.max(0, index * this.height - anchor.offset);
    if (Math.abs(top - this.scroller.scrollTop) >= 1) this.scroller.scrollTop = top;
  }

  render() {
    const { scrollTop, clientHeight } = this.scroller;
    const start = Math.max(0, Math.floor(scrollTop / this.height) - AROUND);
    const end = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.height) + AROUND);
    const restIndex = this.items.findIndex((item) => item.id === this.rest);
    if (restIndex < 0) this.rest = this.items[0]?.id ?? null;
    const indexes = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
    const tabbed = Math.max(0, restIndex);
    if (this.items.length && !indexes.includes(tabbed)) tabbed < start ? indexes.unshift(tabbed) : indexes.push(tabbed);
    const focused = this.box.contains(document.activeElement) ? document.activeElement : null;
    this.place(indexes);
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    if (focused && !focused.isConnected) this.rows.get(this.rest)?.link.focus({ preventScroll: true }); // its conversation has gone
  }

  place(indexes) {
    const wanted = new Set(indexes.map((index) => this.items[index].id));
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      this.rows.delete(id);
      row.element.remove();
    }
    const { handoff } = here();
    let next = this.box.firstChild;
    for (const index of indexes) {
      const item = this.items[index];
      const row = this.rows.get(item.id) ?? new Row(this.desk, ({ id }) => hashOf({ view: this.view, handoff: id }));
      this.rows.set(item.id, row);
      row.draw(item, { isCurrent: item.id === handoff, view: this.view });
      row.element.style.transform = `translateY(${index * this.height}px)`;
      row.element.setAttribute("aria-posinset", index + 1);
      row.element.setAttribute("aria-setsize", this.items.length);
      row.link.tabIndex = item.id === this.rest ? 0 : -1;
      if (row.element === next) next = next.nextSibling;
      else this.box.insertBefore(row.element, next);
    }
  }

  drawNote() {
    const { refusal, isAsking, has_more } = this.closed;
    const isClosed = this.view === "closed";
    const isFiltered = this.search.value || Object.values(this.filters).some(Boolean);
    let text = "";
    if (isClosed && refusal) text = inWords(refusal);
    else if (isClosed && isAsking) text = words.loading;
    else if (!this.items.length) text = isFiltered ? words.nothing_found : named("empty", this.view);
    this.note.textContent = text;
    this.note.hidden = !text;
    this.more.hidden = !isClosed || !has_more || isAsking;
    const said = say("count_in", { count: number(this.items.length), list: named("view", this.view) });
    if (isFiltered && said !== this.summary.textContent) this.summary.textContent = said;
  }

  drawTabs() {
    const views = ["queue", "mine", ...(this.desk.may("see_all") ? ["all"] : []), "snoozed", "closed"];
    const all = this.desk.all();
    const counts = views.map((view) => (view === "closed" ? "" : countIn(view, all, this.desk.me)));
    const state = JSON.stringify([views, counts, this.view]);
    if (state === this.tabState) return;
    const focused = this.tabs.contains(document.activeElement) ? document.activeElement.dataset.view : null;
    this.tabState = state;
    this.heading.textContent = named("view", this.view);
    const tab = (view, index) =>
      make(
        "a",
        { class: "tab", href: hashOf({ view }), "data-view": view, "aria-current": view === this.view ? "page" : null },
        named("view", view),
        counts[index] === "" ? null : make("span", { class: "count" }, number(counts[index])),
      );
    this.tabs.replaceChildren(...views.map(tab));
    if (focused) this.tabs.querySelector(`[data-view="${focused}"]`)?.focus();
  }

  // --- Filters and search ---

  toggleFilters() {
    this.filterBox.hidden = !this.filterBox.hidden;
    this.filterButton.setAttribute("aria-expanded", String(!this.filterBox.hidden));
    this.drawFilters();
    if (!this.filterBox.hidden) this.filterBox.querySelector("select").focus();
    this.later();
  }

  drawFilters() {
    const used = Object.values(this.filters).filter(Boolean).length;
    this.filterCount.hidden = !used;
    this.filterCount.textContent = String(used);
    if (this.filterBox.hidden) return;
    const choices = FILTERS.map((name) => this.choicesOf(name));
    const state = JSON.stringify([choices, this.filters]);
    if (state === this.filterState || this.filterBox.contains(document.activeElement)) return;
    this.filterState = state;
    const clear = button({ class: "link", click: () => this.filter({}) }, words.clear_filters);
    this.filterBox.replaceChildren(...FILTERS.map((name, index) => this.select(name, choices[index])), clear);
  }

  choicesOf(name) {
    const there = new Set(this.desk.all().map((item) => item[name]));
    if (name === "queue") for (const queue of this.desk.queues) there.add(queue.name);
    if (name === "topic") for (const topic of this.desk.topics) there.add(topic.name);
    if (this.filters[name]) there.add(this.filters[name]);
    const titles = [...there].filter(Boolean).map((value) => [value, this.titleOf(name, value)]);
    return titles.sort(([, one], [, other]) => one.localeCompare(other));
  }

  titleOf(name, value) {
    if (name === "language") return languageName(value);
    if (name === "queue") return titled(this.desk.queues, value);
    if (name === "topic") return this.desk.topicName(value);
    return named(name, value);
  }

  select(name, choices) {
    const options = choices.map(([value, title]) => make("option", { value, selected: this.filters[name] === value }, title));
    const changed = ({ target }) => this.filter({ ...this.filters, [name]: target.value });
    const id = `filter-${name}`;
    const label = make("label", { for: id }, named("filter", name));
    return make("div", {}, label, make("select", { id, change: changed }, make("option", { value: "" }, words.any), options));
  }

  filter(filters) {
    this.filters = filters;
    if (!Object.values(filters).some(Boolean)) this.filterState = null;
    this.scroller.scrollTop = 0;
    if (!Object.keys(filters).length) this.filterButton.focus();
    this.changed();
  }

  searched() {
    this.scroller.scrollTop = 0;
    clearTimeout(this.typed);
    this.typed = setTimeout(() => this.changed(), this.view === "closed" ? TYPED : 0);
  }

  changed() {
    if (this.view === "closed") this.askClosed();
    this.draw();
  }

  /** The closed ones are the server's: it is asked for a page at a time. */
  async askClosed(isMore = false) {
    const before = isMore ? this.closed.items.at(-1)?.id : undefined;
    const asked = (this.asked = Symbol());
    const items = isMore ? this.closed.items : [];
    this.closed = { items, has_more: false, isAsking: true, refusal: null };
    this.draw();
    try {
      const found = await get(query("handoffs", { state: "closed", ...this.filters, q: this.search.value.trim(), before }));
      if (this.asked !== asked) return;
      this.closed = { items: [...items, ...found.items], has_more: found.has_more, isAsking: false, refusal: null };
    } catch (refusal) {
      if (this.asked !== asked) return;
      this.closed = { items, has_more: false, isAsking: false, refusal };
    }
    this.draw();
  }

  // --- Keyboard ---

  rested(target) {
    const row = target.closest?.(".row");
    if (!row) return;
    this.rest = Number(row.dataset.id);
    for (const each of this.rows.values()) each.link.tabIndex = each.item.id === this.rest ? 0 : -1;
  }

  keyed(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.step(steps[event.key]);
  }

  /** Moves the focus so many rows on. */
  step(by) {
    if (!this.items.length) return;
    const from = this.items.findIndex((item) => item.id === this.rest);
    const index = Math.min(this.items.length - 1, Math.max(0, from + by));
    this.rest = this.items[index].id;
    this.reveal(index);
    this.render();
    this.rows.get(this.rest).link.focus({ preventScroll: true });
  }

  reveal(index) {
    const { scrollTop, clientHeight } = this.scroller;
    const top = index * this.height;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
  }

  /** Opens the next, or the one before, of the conversation that is open. */
  neighbour(by) {
    const at = this.items.findIndex((item) => item.id === here().handoff);
    const next = this.items[at < 0 ? 0 : at + by];
    if (!next) return;
    this.rest = next.id;
    this.reveal(this.items.indexOf(next));
    go({ view: this.view, handoff: next.id });
  }

  focus() {
    this.later();
    requestAnimationFrame(() => (this.rows.get(this.rest)?.link ?? this.search).focus());
  }

  tick() {
    for (const row of this.rows.values()) row.tick();
  }
}

// One row of the list: who, what was said last, where it comes from and how long they have waited.

import { drawn, make, unseen } from "../widget/dom.js";
import { until } from "./clock.js";
import { countdown, languageName, period, soon, time } from "./formats.js";
import { ICONS } from "./icons.js";
import { isOpen, urgency, waitOf } from "./items.js";
import { named, say, words } from "./words.js";

/** The name to show: what the shopper calls themselves is theirs, and may be anything. */
export function nameOf(item) {
  return item.shown_name || item.customer?.name || words.nobody;
}

export class Row {
  /** `address(item)`: where it leads. */
  constructor(desk, address) {
    Object.assign(this, { desk, address, item: null });
    this.link = make("a", { class: "row", tabindex: "-1" });
    this.element = make("li", { class: "row-box" }, this.link);
  }

  draw(item, { isCurrent, view }) {
    if (item !== this.item || view !== this.view) this.fill(item, view);
    if (isCurrent) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
    this.tick();
  }

  fill(item, view) {
    Object.assign(this, { item, view });
    this.link.href = this.address(item);
    this.link.dataset.id = item.id;
    this.wait = make("span", { class: "wait" });
    this.clock = make("span", { class: "clock" });
    this.link.replaceChildren(this.head(item), this.lastWords(item), this.facts(item));
  }

  head(item) {
    const { customer, unread } = item;
    return make(
      "span",
      { class: "row-line" },
      make("span", { class: "row-name", dir: "auto" }, nameOf(item)),
      customer?.tier ? make("span", { class: "tag tier" }, named("tier", customer.tier)) : null,
      make("span", { class: "gap" }),
      unread ? make("span", { class: "badge" }, String(unread), unseen(` ${words.unread}`)) : null,
      this.wait,
    );
  }

  lastWords({ typing, last, assignee }) {
    if (typing) return make("span", { class: "row-last typing-now" }, words.is_typing);
    if (!last) return make("span", { class: "row-last" }, words.nothing_said);
    const isOwn = last.by === "agent" && assignee === this.desk.me.name;
    const who = last.by === "shopper" ? null : make("span", { class: "who-said" }, `${isOwn ? words.you : named("by", last.by)}: `);
    return make("span", { class: "row-last" }, who, make("bdi", {}, last.text));
  }

  facts(item) {
    const isOthers = item.assignee && item.assignee !== this.desk.me.name;
    const facts = [
      named("channel", item.channel),
      languageName(item.language),
      item.topic && this.desk.topicName(item.topic),
      named("reason", item.reason),
    ];
    return make(
      "span",
      { class: "row-line row-facts" },
      make("span", { class: "facts-text" }, facts.filter(Boolean).join(" · ")),
      isOthers ? make("span", { class: "tag" }, make("bdi", {}, item.assignee)) : null,
      this.clock,
    );
  }

  /** What goes on by itself: the clocks. */
  tick() {
    const { item } = this;
    setText(this.wait, waitText(item));
    drawClock(this.clock, item);
  }
}

function waitText(item) {
  if (item.state === "snoozed") return item.snoozed_until ? say("until", { time: soon(item.snoozed_until) }) : "";
  if (!isOpen(item)) return named("state", item.state);
  const wait = waitOf(item);
  if (wait !== null) return period(wait);
  return item.last?.at ? time(item.last.at) : "";
}

/** The service level's clock: in words, a drawing and a colour, each of which is enough. */
export function drawClock(box, item, isNamed = false) {
  const state = isOpen(item) ? urgency(item) : null;
  box.hidden = !state;
  if (!state) return;
  const left = until(item.sla.due_at);
  const [key, length] = state === "late" ? ["sla_late", period(-left)] : ["sla_left", countdown(left)];
  const level = named("sla", item.sla.level);
  const text = `${isNamed ? `${level}: ` : ""}${say(key, { period: length })}`;
  if (box.dataset.state !== state || !box.lastChild) {
    box.dataset.state = state;
    box.replaceChildren(drawn(state === "fine" ? ICONS.clock : ICONS.late), unseen(isNamed ? "" : `${level}: `), make("span"));
    box.title = `${level}: ${named("urgency", state)}`;
  }
  setText(box.lastChild, text);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The middle: who it is and how long they wait, what can be done, the transcript, and where the agent writes.

import { button, iconButton, make } from "../widget/dom.js";
import { inWords } from "./api.js";
import { Composer } from "./composer.js";
import { languageName } from "./formats.js";
import { ICONS } from "./icons.js";
import { isOf, isOpen } from "./items.js";
import { Log } from "./log.js";
import { menuButton } from "./menu.js";
import { possibleMoves } from "./moves.js";
import { go, here } from "./places.js";
import { drawClock, nameOf, setText } from "./row.js";
import { toast } from "./toasts.js";
import { named, say, titled, words } from "./words.js";

const FIRST = ["take", "take_over", "resolve", "give_back"]; // the moves that have a button of their own where there is room

export class Conversation {
  constructor(desk, outbox, memory) {
    Object.assign(this, { desk, outbox });
    this.composer = new Composer(desk, outbox, memory);
    this.log = new Log(desk, outbox, { again: (entry) => this.again(entry), withdraw: (entry) => this.withdraw(entry) });
    this.title = make("h2", { id: "conversation-title", tabindex: "-1", dir: "auto" });
    this.facts = make("p", { class: "conversation-facts" });
    this.clock = make("span", { class: "clock" });
    this.moves = make("div", { class: "moves" });
    const back = iconButton("back", words.back_to_list, { class: "plain only-narrow", click: () => go({ view: here().view }) });
    const info = iconButton(ICONS.info, words.known, { class: "plain only-known-hidden", click: () => go({ ...here(), pane: "known" }) });
    const more = iconButton("menu", words.more_moves, { class: "plain" });
    this.more = menuButton({ class: more.className, "aria-label": words.more_moves, title: words.more_moves }, more.firstChild, () => this.menuItems());
    this.head = make("div", { class: "pane-head conversation-head" }, back, make("div", { class: "who" }, this.title, this.facts), this.clock, this.moves, this.more.element, info);
    this.fault = make("div", { class: "empty" });
    this.nothing = make("p", { class: "empty" }, words.none_open);
    this.drop = make("div", { class: "drop", hidden: true }, words.drop);
    this.element = make("section", { class: "pane conversation", "aria-labelledby": "conversation-title" }, this.nothing, this.head, this.fault, this.log.element, this.composer.element, this.drop);
    this.takesDroppedFiles();
    desk.on("conversation items entries agents", () => this.later());
    desk.on("typing", () => desk.open && this.log.drawTyping());
    desk.on("link", () => this.later());
    desk.on("suggested", ({ detail }) => this.suggest(detail));
    for (const type of ["changed", "sent", "refused"]) outbox.addEventListener(type, (event) => this.heard(type, event.detail));
    setInterval(() => desk.item && drawClock(this.clock, desk.item, true), 1000);
    this.draw();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  heard(type, detail) {
    if (type === "sent" && this.desk.open?.id === detail.pending.handoff && detail.entry) this.desk.merge([detail.entry]);
    if (type === "refused" && this.desk.open?.id !== detail.handoff) this.tellRefused(detail);
    this.later();
  }

  /** Into the reply of that conversation, whichever is open. */
  suggest({ handoff, text }) {
    this.composer.suggest(handoff, text);
    go({ view: here().view ?? "mine", handoff, pane: "conversation" });
  }

  tellRefused({ handoff }) {
    const item = this.desk.items.get(handoff);
    const offer = { title: words.open, act: () => go({ view: "mine", handoff }) };
    toast(say("not_sent_to", { name: item ? nameOf(item) : `#${handoff}` }), { isUrgent: true, kind: "bad", offer });
  }

  draw() {
    const { open, item } = this.desk;
    const isHere = Boolean(open && item);
    this.nothing.hidden = Boolean(open);
    this.head.hidden = !open;
    this.log.element.hidden = !isHere || open.state === "failed";
    this.composer.element.hidden = !isHere || open.state !== "here";
    this.drawFault(open, item);
    if (!open) return setText(this.title, "");
    if (!item) return setText(this.title, open.state === "failed" ? words.not_here : words.loading);
    this.drawHead(item);
    if (open.state === "failed") return;
    const first = possibleMoves(item, this.desk).find(({ name }) => name === "take" || name === "take_over");
    if (open.state === "here") this.composer.draw(first ? { title: words[first.name], act: () => first.act(item, this.desk) } : null);
    this.log.draw();
  }

  drawFault(open, item) {
    const text = open?.state === "failed" ? inWords(open.refusal) : open?.state === "loading" && !item ? words.loading : "";
    if (this.fault.dataset.text === text) return;
    this.fault.dataset.text = text;
    this.fault.hidden = !text;
    const again = open?.state === "failed" && open.refusal.isForNow ? button({ class: "soft", click: () => this.desk.look(open.id) }, words.try_again) : "";
    this.fault.replaceChildren(make("p", { role: "alert" }, text), again);
  }

  drawHead(item) {
    setText(this.title, nameOf(item));
    const isOthers = item.assignee && item.assignee !== this.desk.me.name;
    const facts = [
      named("channel", item.channel),
      languageName(item.language),
      item.customer?.tier && named("tier", item.customer.tier),
      item.topic && this.desk.topicName(item.topic),
      titled(this.desk.queues, item.queue),
      isOthers ? say("with", { name: item.assignee }) : isOf(item, this.desk.me.name) ? words.with_you : named("state", item.state),
    ];
    setText(this.facts, facts.filter(Boolean).join(" · "));
    drawClock(this.clock, item, true);
    this.drawMoves(item);
  }

  drawMoves(item) {
    const moves = possibleMoves(item, this.desk);
    const state = `${item.id} ${moves.map(({ name }) => name).join()}`;
    if (state === this.moveState) return;
    const hadFocus = this.moves.contains(document.activeElement);
    this.moveState = state;
    const face = ({ name, key }, index) => button({ class: index ? "soft" : "strong", "data-move": name, title: `${words[name]} (${key})`, click: () => this.move(name) }, words[name]);
    this.moves.replaceChildren(...moves.filter(({ name }) => FIRST.includes(name)).map(face));
    this.more.element.hidden = !moves.length;
    if (hadFocus) (this.moves.querySelector("button") ?? this.title).focus();
  }

  menuItems() {
    return possibleMoves(this.desk.item, this.desk).map(({ name, key }) => ({ title: words[name], key, act: () => this.move(name) }));
  }

  /** Does it, where it is possible at this moment. */
  async move(name) {
    const { item } = this.desk;
    const move = item && possibleMoves(item, this.desk).find((each) => each.name === name);
    if (!move) return;
    const isDone = await move.act(item, this.desk);
    if (isDone && (name === "take" || name === "take_over")) this.write("reply");
  }

  /** Goes on in the text, as a reply or as a note. */
  write(mode) {
    if (this.desk.open?.state !== "here") return;
    this.draw();
    if (mode === "reply" && !this.composer.canReply) return;
    this.composer.setMode(mode, true);
  }

  again({ local, parts, by }) {
    if (local) return this.outbox.again(local);
    const text = (parts ?? []).map((part) => part.text).filter(Boolean).join("\n");
    this.composer.fill(by, text);
  }

  withdraw({ local }) {
    const back = this.outbox.withdraw(local);
    if (back) this.composer.fill(back.kind, back.text);
  }

  focus() {
    this.draw(); // what is hidden takes no focus
    this.title.focus();
  }

  takesDroppedFiles() {
    const carries = (event) => this.composer.canReply && isOpen(this.desk.item) && event.dataTransfer?.types.includes("Files");
    const over = (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      this.drop.hidden = false;
    };
    const left = ({ relatedTarget }) => {
      if (!this.element.contains(relatedTarget)) this.drop.hidden = true;
    };
    const dropped = (event) => {
      this.drop.hidden = true;
      if (carries(event)) this.composer.took(event, event.dataTransfer.files);
    };
    for (const [name, act] of Object.entries({ dragenter: over, dragover: over, dragleave: left, drop: dropped })) this.element.addEventListener(name, act);
  }
}

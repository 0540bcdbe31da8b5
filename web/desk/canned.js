// Canned replies: "/" in the text brings them up, more letters narrow them down, arrows and Enter take one.

import { make } from "../widget/dom.js";
import { get } from "./api.js";
import { announce } from "./toasts.js";
import { say, words } from "./words.js";

const CALL = /(^|\s)\/([^\s/]*)$/;
const MOST = 30;
export const VARIABLE = /\{\w+\}/g;

export class Canned {
  /** `text`: the textarea; `onTaken(reply, from)`: `from` is where the "/" stands. */
  constructor(text, onTaken) {
    Object.assign(this, { text, onTaken, handoff: null, replies: null, found: [], at: 0 });
    this.list = make("ul", { class: "canned", id: "canned", role: "listbox", "aria-label": words.canned });
    this.note = make("p", { class: "hint" });
    this.element = make("div", { class: "canned-box", hidden: true }, this.list, this.note);
    text.setAttribute("aria-controls", "canned");
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-haspopup", "listbox");
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Another conversation: its replies are filled in with other values. */
  forget(handoff) {
    Object.assign(this, { handoff, replies: null });
    this.close();
  }

  async typed() {
    const call = this.call();
    if (!call) return this.close();
    const { handoff } = this;
    this.isAsking = !this.isOpen;
    this.replies ??= get(`handoffs/${handoff}/canned`).catch(() => null);
    const replies = await this.replies;
    if (this.handoff !== handoff || !this.call()) return;
    if (!replies) this.replies = null; // next time again
    this.show(replies, this.call()[2].toLocaleLowerCase());
    const isWished = this.isWished && this.found.length > 0;
    Object.assign(this, { isAsking: false, isWished: false });
    if (isWished) this.take(0);
  }

  call() {
    const { value, selectionStart } = this.text;
    return value.slice(0, selectionStart).match(CALL);
  }

  show(replies, wanted) {
    const fits = ({ key, title, text }) => `${key} ${title} ${text}`.toLocaleLowerCase().includes(wanted);
    const isFirst = ({ key }) => (key.toLocaleLowerCase().startsWith(wanted) ? 0 : 1);
    const all = Array.isArray(replies) ? replies : (replies?.canned ?? []);
    this.found = all.filter(fits).sort((one, other) => isFirst(one) - isFirst(other)).slice(0, MOST);
    this.note.textContent = replies ? (this.found.length ? words.canned_hint : words.canned_none) : words.error_offline;
    this.list.replaceChildren(...this.found.map((reply, index) => this.option(reply, index)));
    this.list.hidden = !this.found.length;
    if (!this.isOpen || !this.found.length) announce(say("canned_found", { count: this.found.length }));
    this.element.hidden = false;
    this.select(0);
  }

  option(reply, index) {
    const take = (event) => {
      event.preventDefault(); // the focus stays in the text
      this.take(index);
    };
    const title = make("span", { class: "canned-title" }, make("bdi", {}, reply.title), make("span", { class: "hint" }, ` /${reply.key}`));
    return make("li", { role: "option", id: `canned-${index}`, pointerdown: take }, title, make("span", { class: "canned-text", dir: "auto" }, marked(reply.text)));
  }

  select(index) {
    this.at = index;
    for (const [number, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(number === index));
    if (this.found.length) this.text.setAttribute("aria-activedescendant", `canned-${index}`);
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  take(index) {
    const reply = this.found[index];
    const from = this.text.selectionStart - this.call()[2].length - 1;
    this.close();
    this.onTaken(reply, from);
  }

  close() {
    Object.assign(this, { isAsking: false, isWished: false });
    this.element.hidden = true;
    this.text.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was for the list. */
  pressed(event) {
    if (this.isAsking && event.key === "Enter" && !event.shiftKey) {
      this.isWished = true; // who types fast means the reply, not the letters
      event.preventDefault();
      return true;
    }
    if (!this.isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) this.select((this.at + step + this.found.length) % this.found.length);
    else if ((event.key === "Enter" || event.key === "Tab") && this.found.length) this.take(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}

/** A text with its {variables} marked. */
export function marked(text) {
  const made = [];
  let from = 0;
  for (const match of text.matchAll(VARIABLE)) {
    made.push(text.slice(from, match.index), make("mark", {}, match[0]));
    from = match.index + match[0].length;
  }
  return [...made, text.slice(from)];
}

// Keys for those who work here all day. They are letters, so they do nothing while somebody types, and can be switched off.

import { make } from "../widget/dom.js";
import { opened } from "./dialog.js";
import { MOVES } from "./moves.js";
import { words } from "./words.js";

const SETTING = "keys";
const GROUPS = ["keys_lists", "keys_conversation", "keys_moves"];

export class Keys {
  /** `commands`: {key: {title, group, act}}; Escape is always heard. */
  constructor(memory, commands, escape) {
    Object.assign(this, { memory, commands, escape });
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  get areOn() {
    return this.memory.get(SETTING) !== "off";
  }

  set areOn(isOn) {
    this.memory.set(SETTING, isOn ? null : "off");
  }

  pressed(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return this.escape(event);
    if (!this.areOn || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const command = Object.hasOwn(this.commands, event.key) ? this.commands[event.key] : null;
    if (!command) return;
    event.preventDefault();
    command.act();
  }

  /** The list of them. */
  show() {
    const switched = ({ target }) => (this.areOn = target.checked);
    const own = Object.entries(this.commands).map(([key, { title, group }]) => ({ key, title, group }));
    const moves = MOVES.map(({ name, key }) => ({ key, title: words[name], group: "keys_moves" }));
    const all = [...own.filter(({ title }) => title), ...moves];
    const part = (group) => [
      make("h3", {}, words[group]),
      make("dl", { class: "keys" }, all.filter((each) => each.group === group).flatMap(({ key, title }) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, title)])),
    ];
    const off = make("label", { class: "tick" }, make("input", { type: "checkbox", checked: this.areOn, change: switched }), words.keys_on);
    return opened({ title: words.keys, inside: [off, make("div", { class: "keys-groups" }, GROUPS.map((group) => make("section", {}, part(group))))], wide: true });
  }
}

function isTyping(target) {
  return target instanceof Element && target.matches("input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]");
}

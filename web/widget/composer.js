// Where the shopper writes: the text, files to go with it, and what is to be said about them.

import { button, drawn, filled, iconButton, make } from "./dom.js";
import { Files } from "./files.js";

const TALLEST = 136; // pixels
const LONGEST = 2000; // characters, until the assistant has said how many it takes

export class Composer {
  /**
   * `onSent`: called after something was said, `onPicked` after files were picked; `draft`: {read(), keep(text)}, what is kept of
   * a text that was not sent.
   */
  constructor(chat, words, { onSent, onPicked, draft }) {
    Object.assign(this, { chat, words, onSent, onPicked, draft });
    this.text = make("textarea", {
      rows: "1",
      dir: "auto",
      "aria-label": words.write,
      placeholder: words.write,
      enterkeyhint: "send",
      autocomplete: "off",
      input: () => this.typed(),
      keydown: (event) => this.pressed(event),
      blur: () => this.chat.typing(false),
      paste: (event) => this.pasted(event),
    });
    this.text.value = draft.read();
    this.alert = make("p", { class: "alert", role: "alert", part: "alert" });
    this.files = new Files(chat, words, (text) => this.tell(text));
    this.sendButton = iconButton("send", words.send, { class: "send", part: "send", type: "submit" });
    this.clip = this.picker("clip", words.attach, { multiple: true });
    this.photo = this.picker("camera", words.photo, { capture: "environment", accept: "image/*" }, "touch");
    const line = make("div", { class: "line-of-tools" }, this.clip, this.photo, this.text, this.sendButton);
    const submitted = (event) => {
      event.preventDefault();
      this.send();
    };
    this.element = make("form", { class: "composer", part: "composer", submit: submitted }, this.alert, this.files.element, line);
  }

  /** Brings it in line with what the assistant takes. */
  draw() {
    const takes = this.chat.abilities?.files;
    this.clip.hidden = !takes;
    this.photo.hidden = !takes?.types.some((type) => type.startsWith("image/"));
  }

  send() {
    const text = this.text.value.trim();
    const most = this.chat.abilities?.text_most ?? LONGEST;
    if (text.length > most) return this.tell(filled(this.words.too_long, { most }));
    if (this.files.areUnderWay) return this.tell(this.words.file_wait);
    if (!text && !this.files.ready.length) return this.text.focus();
    this.chat.say(text, this.files.take());
    this.fill("");
    this.onSent();
  }

  /** Puts a text in: one that was not taken, to be made better. */
  fill(text) {
    this.text.value = text;
    this.typed();
  }

  tell(text) {
    this.alert.textContent = text;
  }

  focus() {
    this.text.focus();
  }

  typed() {
    const { text } = this;
    this.tell("");
    text.style.height = "auto";
    if (text.scrollHeight) text.style.height = `${Math.min(text.scrollHeight, TALLEST)}px`;
    this.draft.keep(text.value);
    this.chat.typing(Boolean(text.value));
  }

  pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
  }

  pasted(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.files.add(event.clipboardData.files);
  }

  picker(icon, name, attributes, kind = "") {
    const picked = () => {
      this.files.add(input.files);
      input.value = "";
      this.onPicked();
    };
    const input = make("input", { type: "file", hidden: true, ...attributes, change: picked });
    const open = () => {
      if (!attributes.accept) input.accept = this.chat.abilities?.files?.types.join() ?? "";
      input.click();
    };
    const tap = button({ class: `round plain ${kind}`, "aria-label": name, title: name, click: open }, drawn(icon));
    return make("span", { class: kind }, tap, input);
  }
}

// Where the agent writes: a reply or a private note, with canned replies and files; a template where nothing else reaches the shopper.

import { button, drawn, iconButton, make } from "../widget/dom.js";
import { Files } from "../widget/files.js";
import { sendFile } from "./api.js";
import { Canned, marked, VARIABLE } from "./canned.js";
import { until } from "./clock.js";
import { countdown } from "./formats.js";
import { isOf, isOpen, isWaiting, isWindowClosed } from "./items.js";
import { setText } from "./row.js";
import { say, words } from "./words.js";

const TALLEST = 240; // pixels
const LONGEST = 4000; // characters
const TYPING_AGAIN = 4000; // milliseconds after which typing is said anew
const SOON = 3_600_000; // milliseconds that are left of the window when its end is near
const FILES = { types: ["image/jpeg", "image/png", "image/webp", "application/pdf"], most_bytes: 16_000_000 };

export class Composer {
  constructor(desk, outbox, memory) {
    Object.assign(this, { desk, outbox, memory, mode: "reply", id: null });
    this.box = make("textarea", {
      rows: "2",
      dir: "auto",
      class: "write",
      enterkeyhint: "send",
      autocomplete: "off",
      maxlength: String(LONGEST),
      input: () => this.typed(),
      keydown: (event) => this.pressed(event),
      blur: () => this.stopTyping(),
      paste: (event) => this.pasted(event),
      scroll: () => this.mirrorScroll(),
    });
    this.mirror = make("div", { class: "write mirror", "aria-hidden": "true", dir: "auto" });
    this.canned = new Canned(this.box, (reply, from) => this.insert(reply, from));
    this.fault = make("p", { class: "fault", role: "alert" });
    this.files = new Files(this.abilities(), words, (text) => (this.fault.textContent = text));
    const mode = (name, title) => button({ class: "mode", "data-mode": name, "aria-pressed": "false", click: () => this.setMode(name, true) }, title);
    this.modes = make("div", { class: "modes", role: "group", "aria-label": words.mode }, mode("reply", words.reply), mode("note", words.private_note));
    this.window = make("p", { class: "window" });
    this.send = button({ class: "strong send-button", type: "submit" }, drawn("send"), make("span", {}));
    this.form = make(
      "form",
      { class: "composer", submit: (event) => (event.preventDefault(), this.submit()) },
      this.canned.element,
      make("div", { class: "composer-head" }, this.modes, this.window),
      this.fault,
      this.files.element,
      make("div", { class: "write-box" }, this.mirror, this.box),
      make("div", { class: "composer-foot" }, this.picker(), this.cannedButton(), make("span", { class: "gap" }), this.hint(), this.send),
    );
    this.template = make("form", { class: "composer template", submit: (event) => (event.preventDefault(), this.submitTemplate()) });
    this.notice = make("div", { class: "notice" });
    this.element = make("div", { class: "composer-box" }, this.notice, this.template, this.form);
    setInterval(() => this.tick(), 1000);
  }

  /** `offer`: what can be done instead of writing: {title, act} or null. */
  draw(offer) {
    const { open, item, me } = this.desk;
    if (this.id !== open.id) this.begin(open.id);
    const isMine = isOf(item, me.name);
    const isHere = open.state === "here" && !open.isGone && isOpen(item);
    this.canReply = isMine && isHere;
    this.isTemplateOnly = this.canReply && isWindowClosed(item);
    if (!this.canReply && this.mode === "reply") this.show("note");
    if (this.canReply && this.wishes === "reply" && this.mode !== "reply") this.show("reply");
    this.modes.firstChild.disabled = !this.canReply;
    const asksTemplate = this.isTemplateOnly && this.mode === "reply";
    this.template.hidden = !asksTemplate;
    this.form.hidden = !isHere;
    this.form.classList.toggle("only-head", asksTemplate);
    if (asksTemplate) this.drawTemplates(open.templates ?? []);
    this.drawNotice(item, { isMine, isHere, offer });
    this.tick();
  }

  begin(id) {
    this.stopTyping();
    this.id = id;
    this.canned.forget(id);
    this.fault.textContent = "";
    for (const each of [...this.files.all]) this.files.drop(each);
    this.wishes = "reply";
    this.templates = null;
    this.template.replaceChildren();
    this.show("reply");
  }

  drawNotice(item, { isMine, isHere, offer }) {
    let text = "";
    if (this.desk.open.isGone) text = words.notice_gone;
    else if (!isOpen(item)) text = words.notice_closed;
    else if (isHere && !isMine) text = isWaiting(item) ? words.notice_waiting : say("notice_others", { name: item.assignee ?? "" });
    const key = `${text} ${offer?.title}`;
    if (this.notice.dataset.key === key) return;
    this.notice.dataset.key = key;
    this.notice.hidden = !text;
    this.notice.replaceChildren(make("p", {}, text), ...(text && offer ? [button({ class: "strong", click: offer.act }, offer.title)] : []));
  }

  // --- Reply or note ---

  setMode(mode, isWished = false) {
    if (mode === "reply" && !this.canReply) return;
    if (isWished) this.wishes = mode;
    this.show(mode);
    this.desk.tell("conversation");
    if (isWished) this.focus();
  }

  show(mode) {
    this.stopTyping();
    this.mode = mode;
    const isNote = mode === "note";
    this.form.classList.toggle("is-note", isNote);
    for (const each of this.modes.children) each.setAttribute("aria-pressed", String(each.dataset.mode === mode));
    const name = isNote ? words.write_note : words.write_reply;
    this.box.setAttribute("aria-label", name);
    this.box.placeholder = name;
    setText(this.send.lastChild, isNote ? words.add_note : words.send);
    this.clip.hidden = isNote;
    this.slash.hidden = isNote;
    this.files.element.hidden = isNote;
    this.canned.close();
    this.box.value = this.memory.get(this.draftKey()) ?? "";
    this.fit();
  }

  draftKey(handoff = this.id, mode = this.mode) {
    return `draft.${this.desk.me.id}.${handoff}.${mode}`;
  }

  focus() {
    const target = this.template.hidden ? this.box : this.template.querySelector("input, button");
    target?.focus();
  }

  // --- Writing ---

  typed() {
    this.fault.textContent = "";
    this.memory.set(this.draftKey(), this.box.value || null);
    this.fit();
    if (this.mode === "note") return;
    this.canned.typed();
    if (this.box.value) this.startTyping();
    else this.stopTyping();
  }

  fit() {
    const { box } = this;
    box.style.height = "auto";
    if (box.scrollHeight) box.style.height = `${Math.min(box.scrollHeight, TALLEST)}px`;
    this.mirror.replaceChildren(...(this.mode === "reply" ? marked(box.value) : []));
    this.mirrorScroll();
  }

  mirrorScroll() {
    this.mirror.scrollTop = this.box.scrollTop;
  }

  startTyping() {
    if (this.isTyping) return;
    this.isTyping = setTimeout(() => (this.isTyping = null), TYPING_AGAIN);
    this.desk.type(this.id, true);
    this.hasTyped = this.id;
  }

  stopTyping() {
    clearTimeout(this.isTyping);
    this.isTyping = null;
    if (this.hasTyped) this.desk.type(this.hasTyped, false);
    this.hasTyped = null;
  }

  pressed(event) {
    if (this.canned.pressed(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  insert({ text }, from) {
    const { box } = this;
    box.setRangeText(text, from, box.selectionStart, "end");
    this.typed();
    this.selectVariable();
  }

  /** What a canned reply leaves open is not sent by mistake. @returns {boolean} whether there is one */
  selectVariable() {
    const [found] = this.box.value.matchAll(VARIABLE);
    if (!found) return false;
    this.fault.textContent = say("variable_open", { name: found[0] });
    this.box.focus();
    this.box.setSelectionRange(found.index, found.index + found[0].length);
    return true;
  }

  submit() {
    const text = this.box.value.trim();
    const isNote = this.mode === "note";
    if (!isNote && this.files.areUnderWay) return (this.fault.textContent = words.file_wait);
    if (!isNote && this.selectVariable()) return;
    if (!text && (isNote || !this.files.ready.length)) return this.box.focus();
    const files = isNote ? [] : this.files.take();
    this.box.value = "";
    this.typed();
    this.stopTyping();
    this.outbox.write(this.id, isNote ? "note" : "message", { text, files });
  }

  /** Puts back what did not go out, to be made better. */
  fill(kind, text) {
    this.setMode(kind === "note" ? "note" : "reply", true);
    this.box.value = joined(text, this.box.value);
    this.typed();
    this.focus();
  }

  /** Begins the reply of a conversation with this; where it cannot be written now, it is there once it can. */
  suggest(handoff, text) {
    if (this.id === handoff && this.canReply) {
      this.fill("message", text);
      return this.selectVariable();
    }
    const key = this.draftKey(handoff, "reply");
    this.memory.set(key, joined(text, this.memory.get(key)));
  }

  // --- Files ---

  abilities() {
    const { desk } = this;
    return {
      get abilities() {
        return { files: desk.files ?? FILES };
      },
      upload: (file, onProgress, signal) => sendFile(this.id, file, onProgress, signal),
    };
  }

  picker() {
    const input = make("input", {
      type: "file",
      hidden: true,
      multiple: true,
      change: () => {
        this.files.add(input.files);
        input.value = "";
      },
    });
    this.clip = make("span", {}, iconButton("clip", words.attach, { class: "plain", click: () => input.click() }), input);
    return this.clip;
  }

  cannedButton() {
    const open = () => {
      const { box } = this;
      box.focus();
      const isAfterText = box.selectionStart > 0 && !/\s/.test(box.value[box.selectionStart - 1]);
      box.setRangeText(isAfterText ? " /" : "/", box.selectionStart, box.selectionEnd, "end");
      this.typed();
    };
    this.slash = button({ class: "soft slash", title: words.canned, "aria-label": words.canned, click: open }, drawn("M4 6h16M4 11h16M4 16h9"));
    return this.slash;
  }

  hint() {
    return make("span", { class: "hint keys-hint" }, words.send_hint);
  }

  pasted(event) {
    if (event.clipboardData?.files.length) this.took(event, event.clipboardData.files);
  }

  /** Files that were dropped or pasted. */
  took(event, files) {
    if (!this.canReply || this.mode !== "reply") return;
    event.preventDefault();
    this.files.add(files);
  }

  // --- The 24 hours ---

  tick() {
    const { item } = this.desk;
    if (!item || this.desk.open.id !== this.id) return;
    if (this.canReply && !this.isTemplateOnly && isWindowClosed(item)) return this.desk.tell("conversation"); // just now
    const closes = item.window?.closes_at;
    const isShown = this.canReply && item.window && (this.isTemplateOnly || closes);
    this.window.hidden = !isShown;
    if (!isShown) return;
    const left = closes ? until(closes) : 0;
    this.window.dataset.state = this.isTemplateOnly ? "over" : left < SOON ? "soon" : "open";
    setText(this.window, this.isTemplateOnly ? words.window_over : say("window_left", { period: countdown(left) }));
  }

  drawTemplates(templates) {
    const key = JSON.stringify(templates);
    if (key === this.templates) return;
    this.templates = key;
    const choice = ({ name, text }, index) =>
      make("label", { class: "tick" }, make("input", { type: "radio", name: "template", value: name, checked: index === 0 }), make("span", { dir: "auto" }, marked(text)));
    const list = make("fieldset", {}, make("legend", {}, words.template_choose), templates.map(choice));
    const none = make("p", {}, words.template_none);
    this.template.replaceChildren(
      make("p", { class: "lead" }, words.window_over_long),
      templates.length ? list : none,
      templates.length ? make("div", { class: "composer-foot" }, make("span", { class: "gap" }), button({ class: "strong", type: "submit" }, words.send_template)) : "",
    );
  }

  submitTemplate() {
    const name = this.template.querySelector(":checked")?.value;
    const text = this.desk.open.templates.find((one) => one.name === name)?.text;
    if (name) this.outbox.write(this.id, "message", { template: name, shown: text });
  }
}

function joined(text, before) {
  return [text, before].filter(Boolean).join("\n");
}

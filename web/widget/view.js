// The panel: its head, the conversation, and where the shopper writes. It draws what chat.js knows, and passes on what the
// shopper does.

import { button, iconButton, make } from "./dom.js";
import { Composer } from "./composer.js";
import { Log } from "./log.js";
import { speech } from "./speech.js";

const SHORT_LOSS = 1500; // milliseconds without a connection that are not worth a word
const WHOLE_SCREEN = "(max-width: 480px), (max-height: 480px)"; // as in style.js

export class View {
  /**
   * `settings`: {title, greeting, ideas, takesWhatsApp, isPage}; `root`: the shadow root's element that the panel goes into;
   * `onClose`: the shopper wants the panel to go.
   */
  constructor({ chat, words, language, server, memory, settings, root, onClose }) {
    Object.assign(this, { chat, words, language, memory, root, onClose, ...settings });
    this.tell = (text) => this.composer.tell(text);
    this.wholeScreen = matchMedia(WHOLE_SCREEN);
    this.panel = this.makePanel();
    this.composer = this.makeComposer();
    this.log = new Log(chat, this.makeDesk(server), this.welcome(), () => this.isSeen());
    this.again = button({ class: "again", hidden: true, click: () => this.restart() }, words.restart);
    this.banner = make("p", { class: "banner", role: "status", part: "banner" });
    this.drop = make("div", { class: "drop", hidden: true }, words.drop);
    this.panel.append(this.head(), this.banner, this.log.element, this.composer.element, this.again, this.drop);
    this.takeDroppedFiles();
    this.draw();
  }

  /** Brings all in line with the chat. */
  draw() {
    const last = this.chat.entries.findLast((entry) => entry.by === "shopper" || entry.event === "ended");
    this.isOver = last?.event === "ended" && !this.chat.pending.length;
    this.composer.element.hidden = this.isOver;
    this.again.hidden = !this.isOver;
    const isEmpty = !this.chat.entries.length && !this.chat.pending.length;
    this.panel.classList.toggle("empty", isEmpty);
    this.composer.draw();
    this.log.draw();
    this.drawStatus();
  }

  /** The panel has come up. `focus`: whether the shopper asked for it; a phone's keyboard stays down until they write. */
  shown(focus) {
    if (!this.isPage) this.panel.setAttribute("aria-modal", this.wholeScreen.matches);
    this.composer.typed();
    this.log.toEnd();
    if (focus) this.focus();
    this.fit();
    globalThis.visualViewport?.addEventListener("resize", this.fit);
    globalThis.visualViewport?.addEventListener("scroll", this.fit);
    document.addEventListener("visibilitychange", this.looked);
    addEventListener("focus", this.looked);
  }

  hidden() {
    globalThis.visualViewport?.removeEventListener("resize", this.fit);
    globalThis.visualViewport?.removeEventListener("scroll", this.fit);
    document.removeEventListener("visibilitychange", this.looked);
    removeEventListener("focus", this.looked);
    this.chat.typing(false);
  }

  /** Where the shopper goes on. A phone's keyboard comes up only for who taps the text. */
  focus() {
    if (matchMedia("(pointer: coarse)").matches) this.panel.focus({ preventScroll: true });
    else this.composer.focus();
  }

  say(text) {
    this.chat.say(text);
    this.focus();
  }

  restart() {
    this.chat.restart();
    this.composer.element.hidden = false;
    this.focus();
  }

  makePanel() {
    const role = { role: this.isPage ? "region" : "dialog", "aria-label": this.title, tabindex: "-1" };
    return make("section", { class: "panel", part: "panel", ...role, keydown: (event) => this.keyed(event) });
  }

  makeComposer() {
    const draft = { read: () => this.memory.get("draft") ?? "", keep: (text) => this.memory.set("draft", text || null) };
    return new Composer(this.chat, this.words, { draft, onSent: () => this.log.toEnd(), onPicked: () => this.focus() });
  }

  /** What a message's parts may do, see parts.js. */
  makeDesk(server) {
    const { chat, words, language } = this;
    return {
      words,
      language,
      server,
      tell: this.tell,
      choose: (seq, index, title, event) => this.after(event, chat.choose(seq, index, title)),
      say: (text, event) => this.after(event, chat.say(text)),
      place: (latitude, longitude, event) => this.after(event, chat.place(latitude, longitude)),
      enlarge: async (address, name) => (await import("./sheets.js")).enlarge(this.root, address, name, words),
      correct: (pending) => this.correct(pending),
    };
  }

  /** What was tapped can be tapped no more: the keyboard goes on in the text, a finger or mouse stays where it is. */
  after(event) {
    if (event.detail === 0) this.composer.focus();
    else this.log.scroller.focus({ preventScroll: true });
  }

  correct({ id }) {
    const back = this.chat.withdraw(id);
    if (back?.type === "say" && !this.composer.text.value) this.composer.fill(back.text);
    this.composer.focus();
  }

  head() {
    const opens = { "aria-expanded": "false", click: () => this.toggleMenu() };
    this.opener = iconButton("menu", this.words.menu, { class: "plain", ...opens });
    const title = make(this.isPage ? "h1" : "h2", { part: "title", dir: "auto" }, this.title);
    const who = make("div", { class: "who" }, title, make("p", {}, this.words.presence));
    const close = iconButton("close", this.words.close, { class: "plain", click: () => this.onClose() });
    // No <header>: in a dialog, which is no section, it would be a second banner of the shop's page.
    return make("div", { class: "top", part: "header" }, who, this.opener, this.isPage ? null : close);
  }

  /** What only some shoppers open is loaded when they do. */
  async toggleMenu() {
    this.menu ??= import("./menu.js").then(({ menu }) => menu(this, this.opener));
    try {
      (await this.menu)();
    } catch {
      this.menu = null;
      this.tell(this.words.offline);
    }
  }

  welcome() {
    const ideas = this.ideas.map((idea) => button({ class: "idea", part: "idea", click: () => this.say(idea) }, idea));
    const list = make("div", { class: "ideas", role: "group", "aria-label": this.words.ideas_title }, ideas);
    return make("div", { class: "welcome entry shop" }, speech(this.greeting), ideas.length ? list : null);
  }

  drawStatus() {
    const { status } = this.chat;
    if (status === this.status) return;
    this.status = status;
    clearTimeout(this.loss);
    const text = { connecting: this.words.connecting, offline: this.words.offline }[status] ?? "";
    const show = () => (this.banner.textContent = text);
    if (status === "connecting") this.loss = setTimeout(show, SHORT_LOSS);
    else show();
  }

  isSeen() {
    return document.visibilityState === "visible" && isVisible(this.panel);
  }

  looked = () => this.log.look();

  keyed(event) {
    if (this.isPage) return;
    if (event.key === "Escape" && !event.isComposing) this.onClose();
    if (event.key === "Tab" && this.wholeScreen.matches) this.keepFocus(event);
  }

  /** Where the panel covers the page, the focus must not go under it. */
  keepFocus(event) {
    const all = [...this.panel.querySelectorAll("button:enabled, a[href], input:enabled, textarea, [tabindex='0']")];
    const reachable = all.filter((each) => isVisible(each) && !each.closest("[inert]"));
    const [first, last] = [reachable[0], reachable.at(-1)];
    const active = this.panel.getRootNode().activeElement;
    const isLeaving = event.shiftKey ? active === first || active === this.panel : active === last;
    if (!isLeaving) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }

  /** A phone's keyboard covers part of the window: the panel has what is left. */
  fit = () => {
    const seen = globalThis.visualViewport;
    if (!seen || seen.scale !== 1) return;
    this.panel.style.setProperty("--seen-height", `${seen.height}px`);
    this.panel.style.setProperty("--seen-top", `${seen.offsetTop}px`);
    this.log.settle();
  };

  takeDroppedFiles() {
    const carriesFiles = (event) => this.chat.abilities?.files && event.dataTransfer?.types.includes("Files");
    const over = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.drop.hidden = false;
    };
    const left = (event) => {
      if (!this.panel.contains(event.relatedTarget)) this.drop.hidden = true;
    };
    const dropped = (event) => {
      this.drop.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.composer.files.add(event.dataTransfer.files);
    };
    for (const [name, act] of Object.entries({ dragenter: over, dragover: over, dragleave: left, drop: dropped })) {
      this.panel.addEventListener(name, act);
    }
  }
}

function isVisible(element) {
  return element.getClientRects().length > 0;
}

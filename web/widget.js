/*
Tendero's chat on a shop's page, with one line:

    <script type="module" src="https://assistant.shop.example/widget.js" data-language="es" data-colour="#7a2048"></script>

It puts one <tendero-chat> with the script's data-attributes at the end of the page. A page that has a <tendero-chat> of its own
keeps that one alone; mode="page" on it fills its parent with the chat, without a launcher.

Attributes, on the script or on the element, as in docs/webchat.md:
    data-server              where the assistant is; else where this file came from
    data-language            "es", "en", "pt", "nb", ...; else the page's language, else the browser's
    data-colour              the accent: a name, #hex, rgb() or hsl(). What is written on it is chosen so that it can be read
    data-scheme              "light" or "dark"; else what the shopper's system says
    data-position            "end" (default), "start", "left" or "right": the corner at the bottom
    data-launcher            "icon" (default), "none", or a text to stand beside the icon
    data-title, data-greeting   instead of the ones in data/widget/<language>.yml
    data-ideas               things to ask, with | between them; empty: none
    data-open                opened when the page comes, unless the shopper has closed it
    data-title-badge         the page's title may show the number of unread messages
    data-customer-token      who is signed in to the shop: a JWT, or the name of a global function that returns (a promise of) one
    data-whatsapp            "none": do not offer to go on in WhatsApp

Custom properties and parts, as in docs/webchat-widget.md; the properties on the page or the element: --tendero-colour,
--tendero-font, --tendero-title-font, --tendero-radius, --tendero-width, --tendero-height, --tendero-offset-x, --tendero-offset-y,
--tendero-z.
Parts for ::part(): launcher, badge, panel, header, title, banner, log, day, note, entry, shopper, assistant, agent, text,
picture, file, place, choice, link, idea, carousel, card, date, rating, typing, pill, composer, alert, upload, send, menu, sheet,
lightbox.

Methods: open(), close(), say(text), signIn(jwt), signOut().
Events: tendero-open, tendero-close, tendero-unread {count}, tendero-message {by, text}: a message that is not the shopper's.

Nothing is imported before the launcher is there: this file is all that the first paint needs.
*/

const HOME = import.meta.url.replace(/(webhooks\/webchat\/static\/)?widget\.js([?#].*)?$/, "");
const MODULES = ["view", "style", "chat", "memory", "attention", "words", "colours", "dom"];
const WATCHED = ["data-language", "data-colour", "data-position", "data-launcher", "data-title", "data-greeting", "data-ideas"];
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const SVG = "http://www.w3.org/2000/svg";
const BUBBLE = "M4 5.5h16v11H11l-4.5 3.5v-3.5H4z";

const style = `
:host {
  all: initial !important;
  position: fixed !important;
  z-index: var(--tendero-z, 2147483000) !important;
  inset: auto 0 0 auto !important;
  width: 0 !important;
  height: 0 !important;
}
:host([mode="page"]) {
  position: relative !important;
  z-index: auto !important;
  inset: auto !important;
  display: block !important;
  width: 100% !important;
  height: 100% !important;
}
:host([hidden]) { display: none !important; }
:host([mode="page"]) .root { height: 100%; }
.launcher {
  position: fixed;
  inset-block-end: max(var(--tendero-offset-y, 20px), env(safe-area-inset-bottom));
  inset-inline-end: var(--tendero-offset-x, 20px);
  display: flex;
  gap: 10px;
  align-items: center;
  justify-content: center;
  box-sizing: border-box;
  min-width: 60px;
  min-height: 60px;
  max-width: calc(100vw - 40px);
  padding: 0 18px;
  border: 0;
  border-radius: 30px;
  background: var(--accent, #1f5650);
  color: var(--on-accent, #fff);
  box-shadow: 0 0 0 1.5px rgb(255 255 255 / 0.5), 0 6px 24px rgb(30 25 20 / 0.3);
  font: 600 1em/1.2 var(--tendero-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  cursor: pointer;
}
.root[data-side="start"] .launcher { inset-inline: var(--tendero-offset-x, 20px) auto; }
.launcher[hidden], .badge[hidden] { display: none; }
.launcher:focus-visible { outline: 3px solid var(--accent, #1f5650); outline-offset: 4px; }
.launcher svg {
  flex: none;
  width: 26px;
  height: 26px;
  fill: none;
  stroke: currentcolor;
  stroke-width: 2;
  stroke-linejoin: round;
}
.launcher[aria-busy="true"] svg { opacity: 0.5; }
.badge {
  position: absolute;
  inset-block-start: -5px;
  inset-inline-end: -3px;
  box-sizing: border-box;
  min-width: 24px;
  padding: 0 6px;
  border-radius: 12px;
  background: #a03a20;
  color: #fff;
  font-size: 0.8125em;
  line-height: 24px;
  text-align: center;
}
@media (forced-colors: active) { .launcher, .badge { border: 2px solid; } }
`;

class TenderoChat extends HTMLElement {
  static observedAttributes = WATCHED;

  #root;
  #launcher;
  #badge;
  #failed = 0; // tries to load
  #loading = null;
  #parts = null; // {chat, words, language, memory, View, ...} once all is loaded
  #view = null;
  #isOpen = false;
  #unread = 0;

  connectedCallback() {
    if (this.shadowRoot) return void (this.#parts?.isStarted && this.#parts.chat.start());
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.#root = document.createElement("div");
    this.#root.className = "root";
    this.shadowRoot.append(this.#root);
    this.#dress();
    if (this.#isPage) return void this.open();
    this.#root.append(this.#makeLauncher());
    if (this.#opensItself()) this.#open({ focus: false });
    else this.#prepareWhenIdle();
  }

  disconnectedCallback() {
    this.#parts?.chat.stop();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#root || before === now) return;
    this.#dress();
    this.#labelLauncher();
    if (this.#parts) this.#refresh(name);
  }

  /** Shows the panel; the focus goes into it. */
  async open() {
    await this.#open({ focus: true });
  }

  /** Hides it; the focus goes back to the launcher. */
  close() {
    if (!this.#isOpen || this.#isPage) return;
    const hadFocus = this.shadowRoot.activeElement;
    this.#isOpen = false;
    this.#view.hidden();
    this.#view.panel.remove();
    this.#launcher.hidden = this.dataset.launcher === "none";
    if (hadFocus) this.#launcher.focus();
    this.#rememberOpen();
    this.#tell("close");
  }

  /** Says something in the shopper's name. The panel stays as it is. */
  async say(text) {
    (await this.#started()).chat.say(String(text));
  }

  /** The shopper has signed in to the shop. `jwt`: made by the shop's server, see docs/webchat.md. */
  async signIn(jwt) {
    (await this.#started()).chat.identify(jwt);
  }

  /** The shopper has signed out of the shop: the conversation is not shown any more. */
  async signOut() {
    (await this.#started()).chat.signOut();
  }

  get #isPage() {
    return this.getAttribute("mode") === "page";
  }

  get #server() {
    const given = new URL(this.dataset.server || HOME, location.href).href;
    return given.endsWith("/") ? given : `${given}/`;
  }

  /** Loads all that the open panel needs, once; a failure may be tried again. */
  #load() {
    this.#loading ??= this.#loaded().catch((error) => {
      this.#loading = null;
      this.#failed += 1;
      throw error;
    });
    return this.#loading;
  }

  /** A page remembers a module that did not come, and what it imports, and never asks again: each try has addresses of its own. */
  #imported(name) {
    const again = this.#failed ? `again-${this.#failed}/` : "";
    return import(`${this.#server}webhooks/webchat/static/${again}widget/${name}.js`);
  }

  async #loaded() {
    const server = this.#server;
    const modules = Object.assign({}, ...(await Promise.all(MODULES.map((name) => this.#imported(name)))));
    const spoken = await modules.wordsFor(server, this.#languages());
    const memory = new modules.Memory(server);
    const chat = new modules.Chat({ server, language: spoken.language, jwt: await this.#customerToken() });
    chat.freshJwt = () => this.#customerToken();
    this.#parts = { ...modules, ...spoken, server, memory, chat };
    modules.dress(this.shadowRoot, style, modules.style);
    this.#colour();
    this.#labelLauncher();
    return this.#parts;
  }

  /** The same, and the conversation is there. */
  async #started() {
    const parts = await this.#load();
    if (parts.isStarted) return parts;
    parts.isStarted = true;
    parts.chat.addEventListener("change", () => this.#draw());
    parts.chat.addEventListener("arrived", ({ detail }) => this.#arrived(detail));
    parts.chat.start();
    return parts;
  }

  async #open({ focus }) {
    if (this.#isOpen) return void (focus && this.#view?.shown(true));
    this.#isOpen = true;
    this.#launcher?.setAttribute("aria-busy", "true");
    try {
      await this.#started();
    } catch (error) {
      console.warn("tendero-chat: cannot be loaded", error);
      this.#isOpen = false;
      return this.#sayNotLoaded();
    } finally {
      this.#launcher?.removeAttribute("aria-busy");
    }
    this.#view ??= this.#makeView();
    this.#root.append(this.#view.panel);
    if (this.#launcher) this.#launcher.hidden = true;
    this.#view.draw();
    this.#view.shown(focus);
    this.#rememberOpen();
    this.#tell("open");
  }

  #makeView() {
    const { View, chat, words, language, server, memory } = this.#parts;
    this.#root.lang = language;
    const { title = words.title, greeting = words.greeting, ideas, whatsapp } = this.dataset;
    const settings = {
      title,
      greeting,
      ideas: ideas === undefined ? words.ideas : ideas.split("|").map((idea) => idea.trim()).filter(Boolean),
      takesWhatsApp: whatsapp !== "none",
      isPage: this.#isPage,
    };
    return new View({ chat, words, language, server, memory, settings, root: this.#root, onClose: () => this.close() });
  }

  /** Another language, title, greeting: the panel is made anew; the conversation stays. */
  async #refresh(changed) {
    const { wordsFor, server, language } = this.#parts;
    const spoken = await wordsFor(server, this.#languages());
    if (changed === "data-language" && spoken.language === language) return; // nobody loses their place for nothing
    Object.assign(this.#parts, spoken);
    this.#colour();
    this.#labelLauncher();
    const before = this.#view;
    if (!before) return;
    before.hidden();
    this.#view = this.#makeView();
    if (!this.#isOpen) return;
    const hadFocus = before.panel.contains(this.shadowRoot.activeElement);
    before.panel.replaceWith(this.#view.panel);
    this.#view.shown(hadFocus);
  }

  #draw() {
    const { chat } = this.#parts;
    if (this.#isOpen) this.#view?.draw();
    const count = chat.unread;
    if (count === this.#unread) return;
    this.#unread = count;
    if (this.#badge) {
      this.#badge.hidden = !count;
      this.#badge.textContent = count > 9 ? "9+" : count || "";
    }
    this.#labelLauncher();
    if ("titleBadge" in this.dataset) this.#parts.markTitle(count);
    this.#tell("unread", { count });
  }

  #arrived(entry) {
    const { words, memory, callAttention } = this.#parts;
    callAttention(memory, { title: this.dataset.title ?? words.title, text: words.new_message, open: () => this.open() });
    const text = (entry.parts ?? []).map((part) => part.text).filter(Boolean).join("\n");
    this.#tell("message", { by: entry.by, text });
  }

  #languages() {
    const page = document.documentElement.lang;
    return [this.dataset.language, page, ...navigator.languages];
  }

  async #customerToken() {
    const given = this.dataset.customerToken;
    if (!given || JWT.test(given)) return given;
    try {
      return await globalThis[given]?.();
    } catch (error) {
      console.warn(`tendero-chat: ${given}() failed`, error);
      return undefined;
    }
  }

  // --- The launcher ---

  #makeLauncher() {
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", BUBBLE);
    icon.append(path);
    this.#launcher = Object.assign(document.createElement("button"), { type: "button", className: "launcher" });
    this.#launcher.setAttribute("part", "launcher");
    this.#launcher.setAttribute("aria-haspopup", "dialog");
    this.#badge = Object.assign(document.createElement("span"), { className: "badge", hidden: true });
    this.#badge.setAttribute("part", "badge");
    this.#launcher.append(icon, document.createElement("span"), this.#badge);
    this.#launcher.addEventListener("click", () => this.open());
    const prepare = () => this.#load().catch(() => undefined); // the tap itself will tell
    for (const name of ["pointerenter", "focus"]) this.#launcher.addEventListener(name, prepare, { once: true });
    this.#labelLauncher();
    return this.#launcher;
  }

  /** Before the words are there it is called "Chat", which all languages understand. */
  #labelLauncher() {
    if (!this.#launcher) return;
    const { launcher = "icon" } = this.dataset;
    const text = ["icon", "none", ""].includes(launcher) ? "" : launcher;
    this.#launcher.hidden = this.#isOpen || launcher === "none";
    this.#launcher.children[1].textContent = text;
    this.#launcher.children[1].hidden = !text;
    const words = this.#parts?.words;
    const name = words && (this.#unread ? words.launcher_unread.replace("{count}", this.#unread) : words.launcher);
    // Whoever speaks to the computer says what they see: the text that is shown stands in the name.
    this.#launcher.setAttribute("aria-label", [text, name ?? (text ? "" : "Chat")].filter(Boolean).join(" · "));
  }

  #sayNotLoaded() {
    const label = this.#parts?.words.not_loaded ?? "↻";
    if (!this.#launcher) return;
    this.#launcher.hidden = false;
    this.#launcher.children[1].hidden = false;
    this.#launcher.children[1].textContent = label;
  }

  /** The side, the direction of writing and the colour: what can change while the page is there. */
  #dress() {
    const direction = getComputedStyle(this).direction;
    const { position = "end" } = this.dataset;
    const left = direction === "ltr" ? "start" : "end";
    this.#root.dir = direction;
    this.#root.dataset.side = { left, right: left === "start" ? "end" : "start" }[position] ?? position;
    this.#colour();
  }

  async #colour() {
    const colour = this.dataset.colour || getComputedStyle(this).getPropertyValue("--tendero-colour").trim();
    if (!colour) return;
    const { accents } = await this.#imported("colours");
    for (const [name, value] of Object.entries(accents(colour) ?? {})) this.#root.style.setProperty(name, value);
  }

  /** Somebody who has a conversation sees at once what is new in it; for others all is made ready while nothing else is done. */
  #prepareWhenIdle() {
    const isKnown = attempt(() => localStorage.getItem(`tendero.${new URL(this.#server).origin}.token`));
    const isSaving = navigator.connection?.saveData;
    const prepare = () => (isKnown ? this.#started() : isSaving ? Promise.resolve() : this.#load()).catch(() => undefined);
    if (globalThis.requestIdleCallback) requestIdleCallback(prepare, { timeout: 4000 });
    else setTimeout(prepare, 1500);
  }

  /** From page to page of the shop the panel stays as the shopper left it, but where it would cover the whole page. */
  #opensItself() {
    const left = attempt(() => sessionStorage.getItem("tendero.open"));
    const isSmall = matchMedia("(max-width: 480px), (max-height: 480px)").matches;
    return left ? left === "yes" && !isSmall : "open" in this.dataset;
  }

  #rememberOpen() {
    if (!this.#isPage) attempt(() => sessionStorage.setItem("tendero.open", this.#isOpen ? "yes" : "no"));
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`tendero-${name}`, { detail, bubbles: true, composed: true }));
  }
}

function attempt(access) {
  try {
    return access();
  } catch {
    return undefined; // a browser that stores nothing
  }
}

if (!customElements.get("tendero-chat")) {
  customElements.define("tendero-chat", TenderoChat);
  const script = [...document.scripts].find((each) => each.src === import.meta.url);
  if (script && !document.querySelector("tendero-chat")) {
    const chat = document.createElement("tendero-chat");
    Object.assign(chat.dataset, script.dataset);
    document.body.append(chat);
  }
}

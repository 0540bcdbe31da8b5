// The page of who is signed in: its head, the three panes, the other pages, and the way between them.

import { button, drawn, iconButton, make } from "../widget/dom.js";
import { accountPage } from "./account.js";
import { Alerts } from "./alerts.js";
import { post } from "./api.js";
import { auditPage } from "./audit.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { opened } from "./dialog.js";
import { VIEWS } from "./items.js";
import { ICONS } from "./icons.js";
import { Keys } from "./keys.js";
import { Known } from "./known.js";
import { List } from "./list.js";
import { menuButton } from "./menu.js";
import { MOVES, presence, standing } from "./moves.js";
import { Outbox } from "./outbox.js";
import { peoplePage } from "./people.js";
import { go, here } from "./places.js";
import { reportsPage } from "./reports.js";
import { setText } from "./row.js";
import { leave } from "./sign_in.js";
import { Desk } from "./state.js";
import { toast, toasts } from "./toasts.js";
import { named, say, words } from "./words.js";

const SHORT_LOSS = 1500; // milliseconds without a connection that are not worth a word

export class App {
  constructor(me, memory) {
    this.memory = memory;
    this.connection = new Connection();
    this.desk = new Desk(me, this.connection);
    this.outbox = new Outbox(memory, me.id);
    this.list = new List(this.desk);
    this.conversation = new Conversation(this.desk, this.outbox, memory);
    this.known = new Known(this.desk);
    this.keys = new Keys(memory, this.commands(), (event) => this.escaped(event));
    this.alerts = new Alerts(this.desk, memory);
    this.panes = make("div", { class: "panes" }, this.list.element, this.conversation.element, this.known.element);
    this.page = make("div", { class: "page", hidden: true });
    this.banner = make("p", { class: "banner", role: "status" });
    const skip = make("a", { class: "skip", href: "#list-title", click: (event) => (event.preventDefault(), this.list.focus()) }, words.skip);
    document.body.append(skip, this.head(), this.banner, make("main", {}, this.panes, this.page), toasts);
    document.title = words.title;
    this.desk.on("me agents", () => this.drawHead());
    this.desk.on("link", () => this.drawLink());
    this.desk.on("out", () => leave("signed_out"));
    addEventListener("hashchange", () => this.follow());
    this.drawHead();
    this.follow();
    this.connection.open();
  }

  // --- The head ---

  head() {
    this.statusText = make("span", {});
    const statusFace = [make("span", { class: "dot" }), this.statusText, drawn("down")];
    this.status = menuButton({ class: "head-button status" }, statusFace, () =>
      ["available", "away"].map((status) => ({ title: named("status", status), isNow: this.desk.me.status === status, act: () => this.desk.setStatus(status) })),
    );
    this.thereText = make("span", {});
    this.there = menuButton({ class: "head-button there" }, [drawn(ICONS.person), this.thereText], () => this.colleagues());
    const menu = iconButton("menu", words.menu, { class: "plain" });
    this.menu = menuButton({ class: menu.className, "aria-label": words.menu, title: words.menu }, menu.firstChild, () => this.menuItems());
    const help = iconButton("M9.2 9a2.8 2.8 0 1 1 4 2.6c-.8.4-1.2 1-1.2 2M12 17v.01", words.keys, { class: "plain wide-only", click: () => this.keys.show() });
    return make("header", { class: "top" }, make("h1", {}, words.title), make("span", { class: "gap" }), this.there.element, this.status.element, help, this.menu.element);
  }

  drawHead() {
    const { me, agents } = this.desk;
    setText(this.statusText, named("status", me.status));
    this.status.button.dataset.status = me.status;
    this.status.button.setAttribute("aria-label", say("status_is", { status: named("status", me.status) }));
    const others = agents.filter((agent) => agent.is_there && agent.name !== me.name).length;
    setText(this.thereText, String(others));
    this.there.button.setAttribute("aria-label", say("colleagues_there", { count: others }));
    this.there.button.title = say("colleagues_there", { count: others });
  }

  colleagues() {
    const { me, agents } = this.desk;
    const others = agents.filter((agent) => agent.name !== me.name).sort((one, other) => other.is_there - one.is_there || one.name.localeCompare(other.name));
    const line = (agent) =>
      make("li", { "data-there": agent.is_there ? agent.status : "gone" }, make("span", { class: "dot" }), make("div", {}, make("p", { dir: "auto" }, agent.name), make("p", { class: "hint" }, agent.is_there ? standing(agent) : presence(agent))));
    return [make("ul", { class: "colleagues", role: "list", tabindex: "-1" }, others.length ? others.map(line) : make("li", {}, words.nobody_else))];
  }

  menuItems() {
    const { desk } = this;
    const page = (name) => ({ title: words[name], act: () => go({ page: name }), isNow: here().page === name });
    return [
      make("p", { class: "menu-who" }, make("strong", { dir: "auto" }, desk.me.name), make("span", { class: "hint" }, ` ${named("role", desk.me.role)}`)),
      { title: words.conversations, act: () => go({ view: "queue" }), isNow: !here().page },
      desk.may("reports") ? page("reports") : null,
      desk.may("manage_agents") ? page("people") : null,
      desk.may("audit") ? page("audit") : null,
      page("account"),
      { title: words.keys, key: "?", act: () => this.keys.show() },
      { title: words.sign_out, act: () => this.signOut() },
    ];
  }

  async signOut() {
    const unsent = this.outbox.pending.length;
    const text = unsent ? say("sign_out_unsent", { count: unsent }) : words.sign_out_ask;
    const isSure = await opened({ title: words.sign_out, text, yes: words.sign_out, isGrave: unsent > 0 }, () => post("sign-out"));
    if (isSure) this.signedOut();
  }

  signedOut() {
    this.connection.close();
    this.memory.forget("draft.", "pending.");
    leave("by_yourself");
  }

  drawLink() {
    const { link } = this.desk;
    clearTimeout(this.loss);
    document.body.dataset.link = link;
    if (link === "up") {
      if (this.banner.textContent) toast(words.link_back, { kind: "good" });
      this.banner.textContent = "";
      this.outbox.flush();
      return;
    }
    this.loss = setTimeout(() => (this.banner.textContent = words.link_lost), SHORT_LOSS);
  }

  // --- The way between ---

  follow() {
    const place = here();
    const isPage = Boolean(place.page) && this.mayOpen(place.page);
    this.panes.hidden = isPage;
    this.page.hidden = !isPage;
    if (isPage) return this.showPage(place.page);
    this.page.replaceChildren();
    const { view = "queue", handoff = null, pane = "list" } = place;
    const before = this.shown ?? {};
    this.shown = { view, handoff, pane };
    this.panes.dataset.pane = pane;
    this.list.show(view === "all" && !this.desk.may("see_all") ? "queue" : view);
    if ((this.desk.open?.id ?? null) !== handoff) this.desk.look(handoff);
    if (before.pane && (before.pane !== pane || before.handoff !== handoff)) this.focusOn(pane, before);
  }

  /** Where only one pane is seen, the focus goes along. */
  focusOn(pane, before) {
    const isOne = getComputedStyle(this.list.element).display === "none" || getComputedStyle(this.conversation.element).display === "none";
    if (pane === "known") return this.known.heading.focus();
    if (pane === "list") return isOne || before.handoff ? this.list.focus() : undefined;
    return this.conversation.focus();
  }

  mayOpen(page) {
    const needs = { reports: "reports", people: "manage_agents", audit: "audit" }[page];
    return !needs || this.desk.may(needs);
  }

  showPage(name) {
    if (this.desk.open) this.desk.look(null);
    this.shown = {};
    const pages = {
      reports: () => reportsPage(),
      people: () => peoplePage(this.desk),
      audit: () => auditPage(this.desk),
      account: () => accountPage({ memory: this.memory, keys: this.keys, signedOut: () => this.signedOut() }),
    };
    const back = button({ class: "soft back", click: () => go({ view: "queue" }) }, drawn("back"), words.back_to_conversations);
    const title = make("h2", { tabindex: "-1" }, words[name]);
    this.page.replaceChildren(make("div", { class: "page-head" }, back, title), make("div", { class: "page-inside" }, pages[name]()));
    title.focus();
  }

  // --- Keys ---

  commands() {
    const lists = Object.fromEntries(VIEWS.map((view, index) => [String(index + 1), { title: named("view", view), group: "keys_lists", act: () => this.showView(view) }]));
    const inList = (title, act) => ({ title, group: "keys_lists", act });
    const inConversation = (title, act) => ({ title, group: "keys_conversation", act });
    const moves = MOVES.map(({ key }) => [key, { act: () => this.moveBy(key) }]);
    return {
      ...lists,
      j: inList(words.key_next, () => this.list.neighbour(1)),
      k: inList(words.key_previous, () => this.list.neighbour(-1)),
      "/": inList(words.key_search, () => this.search()),
      r: inConversation(words.key_reply, () => this.conversation.write("reply")),
      n: inConversation(words.key_note, () => this.conversation.write("note")),
      i: inConversation(words.key_known, () => this.showKnown()),
      "?": { title: words.key_help, group: "keys_lists", act: () => this.keys.show() },
      Escape: inConversation(words.key_escape, () => undefined),
      ...Object.fromEntries(moves),
    };
  }

  /** One key may stand for two moves of which never both are possible. */
  moveBy(key) {
    for (const { name } of MOVES.filter((move) => move.key === key)) this.conversation.move(name);
  }

  showView(view) {
    if (view === "all" && !this.desk.may("see_all")) return;
    go({ view });
    this.list.focus();
  }

  search() {
    if (here().page) return;
    if (getComputedStyle(this.list.element).display === "none") go({ view: here().view });
    requestAnimationFrame(() => this.list.search.focus());
  }

  showKnown() {
    if (!this.desk.open) return;
    go({ ...here(), pane: "known" });
    this.known.heading.focus();
  }

  /** One step back: out of the text, from what is known to the conversation, from it to the list. */
  escaped(event) {
    const place = here();
    if (event.target.closest?.(".composer-box")) return this.conversation.log.scroller.focus();
    if (event.target === this.list.search) {
      if (!this.list.search.value) this.list.focus();
      return;
    }
    if (place.page) return go({ view: "queue" });
    if (place.pane === "known") return go({ ...place, pane: "conversation" });
    if (place.handoff !== null) this.list.focus();
    if (getComputedStyle(this.list.element).display === "none") go({ view: place.view });
  }
}

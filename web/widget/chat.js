// What the visitor's conversation is, and all that the visitor can do in it. No DOM: view.js draws this.
// The words are those of docs/webchat-protocol.md.

import { Connection, TRANSIENT } from "./connection.js";
import { Memory } from "./memory.js";
import { Newcomers } from "./newcomers.js";
import { Outbox, parsed } from "./outbox.js";

const USUAL = {
  answerWithin: 15_000, // else a message is sent again, a question has failed
  otherTab: 4_000, // what another tab has written is left to it for so long
  uploadStalls: 30_000, // without progress it has failed
  settle: 300, // in which tabs that became new visitors at the same time agree upon one
  typingPause: 4_000, // after the last key
  typingMost: 60_000, // the others' typing, when its end is never told
  together: 200, // pictures that do not load any more do so at the same time: one question for all of them
};

/**
 * @typedef {object} Entry  as in the protocol: {seq, at, by, parts | text, files, chose, place | event, ...}
 *
 * @typedef {object} Pending  what the shopper sent and the server has not shown yet, in the order in which it was written
 * @property {string} id
 * @property {"say"|"choose"|"place"} type
 * @property {string} text  what to show: the words, or the title of the choice
 * @property {{id: string, name: string, type: string, size: number}[]} files
 * @property {"waiting"|"sending"|"refused"} state  refused: it will not be sent again; `withdraw` takes it back
 * @property {string} [why]  of refused, as in the protocol: "too_long", "empty", "unknown_choice", "unknown_file", ...
 *
 * Events (all CustomEvent):
 *   change   something to draw: any of the fields below
 *   arrived  detail: an Entry that is new and not by the shopper (a sound, a badge); never for pages of older entries
 *   refused  detail: {of, id?, why}; of "identify" with why "old_jwt", "used_jwt", "bad_jwt", "not_configured": see freshJwt
 */
export class Chat extends EventTarget {
  /** @type {Entry[]} ascending by seq */
  entries = [];
  /** The newest seq of the shopper's that the shop has read. */
  readByShop = 0;
  /** @type {"assistant"|"agent"|null} */
  isTyping = null;
  /** The newest `welcome`: {language, signed_in, name, text_most, files, whatsapp, ...}; null before the first. */
  abilities = null;
  /** Whether there are older entries than the first of these. */
  hasMore = false;
  /** Set by the page: called where the token of the sign-in is too old or used up. @type {null | (() => Promise<string|null>)} */
  freshJwt = null;

  #server;
  #language;
  #page;
  #jwt;
  #times;
  #memory;
  #newcomers;
  #connection;
  #outbox;
  #conversation = null; // name of the one that is shown
  #firstVisitor = null; // as stored, while other tabs may put another one in its place
  #refusedToken = null; // the server does not know it
  #hasPage = false; // the newest entries are here: from now on only what comes after them
  #leaving = null; // "restart" or "sign_out", until the new conversation is here
  #later = []; // frames for when the connection is back
  #asked = new Map(); // of each kind of question: {promise, resolve, reject, timer}
  #arrivals = new Map(); // by seq: when it came
  #old = new Set(); // entries to be renewed, by seq
  #renewing = null; // a promise, while they are
  #filling = new Set(); // ends of gaps for which a page was asked
  #isJwtAsked = false;
  #jwtTold; // the one that went out with this connection's hello, or after it
  #typingSaid = false;
  #typingTimer = null;
  #theirTypingTimer = null;
  #isChangeDue = false;

  /**
   * @param {object} options
   * @param {string} options.server  address of the assistant, e.g. "https://assistant.shop.example"
   * @param {string} [options.language]  "en", "de", ...
   * @param {string} [options.page]  address of the page; left out: the one that the browser shows
   * @param {string} [options.jwt]  as in `identify`
   * @param {object} [options.times]  other periods than usual, in milliseconds; also those of connection.js
   */
  constructor({ server, language, page, jwt, times }) {
    super();
    this.#server = new URL(server, location.href).href.replace(/\/+$/, "");
    this.#language = language;
    this.#page = page;
    this.#jwt = jwt;
    this.#times = { ...USUAL, ...times };
    this.#memory = new Memory(this.#server);
    this.#memory.onChangedElsewhere((key, value) => this.#changedElsewhere(key, value));
    this.#newcomers = new Newcomers(`${this.#memory.name}new`);
    this.#connection = new Connection({ server: this.#server, hello: (isFirst) => this.#hello(isFirst), times });
    this.#connection.addEventListener("frame", ({ detail }) => this.#take(detail));
    this.#connection.addEventListener("up", () => this.#connected());
    this.#connection.addEventListener("down", () => this.#disconnected());
    this.#connection.addEventListener("status", () => this.#change());
    this.#outbox = new Outbox({
      memory: this.#memory,
      times: this.#times,
      send: (frame) => !this.#leaving && this.#connection.send(frame),
      unanswered: () => this.#connection.check(),
      changed: () => this.#change(),
    });
  }

  /** In the order in which it was written. @returns {Pending[]} */
  get pending() {
    return this.#outbox.pending;
  }

  /** connecting: at the start, and a moment after a loss. @returns {"connecting"|"online"|"offline"} */
  get status() {
    return this.#connection.status;
  }

  /** How many entries that are not by the shopper came after the newest that was `read`, in any tab. */
  get unread() {
    const seen = this.#seen();
    return this.entries.filter(({ seq, by }) => seq > seen && isSaid(by)).length;
  }

  /** Connects, and stays connected until `stop`. */
  start() {
    this.#connection.open();
  }

  /** Leaves. What is pending goes out after the next `start`, of any tab. */
  stop() {
    this.#connection.close();
    this.#hasAgreed();
  }

  // --- What the shopper does ---

  /** Works offline too: goes out when the server is back. @param {{id: string}[]} [files] as `upload` gave them. @returns {string} id */
  say(text, files = []) {
    this.typing(false);
    return this.#outbox.write({ type: "say", text, files }, this.#conversation);
  }

  /** Takes choice `choice` (its `index`) of entry `seq`. `title` is shown until the server has it. @returns {string} id */
  choose(seq, choice, title) {
    return this.#outbox.write({ type: "choose", text: title, files: [], seq, choice }, this.#conversation);
  }

  /** @returns {string} id */
  place(latitude, longitude) {
    return this.#outbox.write({ type: "place", text: "", files: [], latitude, longitude }, this.#conversation);
  }

  /** Takes back what is waiting or refused. @returns {Pending|null} null where it is too late */
  withdraw(id) {
    return this.#outbox.withdraw(id);
  }

  /**
   * @param {File} file
   * @param {(share: number) => void} [onProgress]  from 0 to 1
   * @param {AbortSignal} [signal]
   * @returns {Promise<{id: string, name: string, type: string, size: number}>} rejects with an Error that has a `why`:
   *   "too_large", "wrong_type", "too_many" and "not_now" (with `after`, seconds), "unknown_visitor", "failed", "aborted"
   */
  async upload(file, onProgress, signal) {
    const { upload } = await import("./upload.js");
    const token = this.#visitor().token;
    const [limits, patience] = [this.abilities?.files, this.#times.uploadStalls];
    return upload({ server: this.#server, token, limits, patience, file, onProgress, signal }).catch((error) => {
      if (error.why === "unknown_visitor") this.#connection.reopen(); // its hello finds out who we are
      throw error;
    });
  }

  /** Asks for the page before the first entry. @returns {Promise<boolean>} whether it came */
  more() {
    if (!this.hasMore) return Promise.resolve(false);
    return this.#ask({ type: "more", before: this.entries[0].seq }).then(
      () => true,
      () => false,
    );
  }

  /**
   * Asks for this entry again, since the addresses in it hold for a day; with it come those before it.
   * @returns {Promise<Entry>} rejects with an Error that has a `why`
   */
  async renew(seq) {
    this.#old.add(seq);
    this.#renewing ??= this.#renewAll().finally(() => (this.#renewing = null));
    await this.#renewing;
    return this.entries.find((entry) => entry.seq === seq);
  }

  async #renewAll() {
    await new Promise((resolve) => setTimeout(resolve, this.#times.together));
    try {
      while (this.#old.size) await this.#ask({ type: "more", before: Math.max(...this.#old) + 1 }, "renew");
    } finally {
      this.#old.clear();
    }
  }

  /** When the addresses in this entry were given out. @returns {number} as Date.now() */
  cameAt(seq) {
    return this.#arrivals.get(seq);
  }

  /** All up to this entry has been seen. */
  read(seq) {
    if (!this.#conversation || seq <= this.#seen()) return;
    this.#memory.set("seen", `${seq} ${this.#conversation}`);
    this.#connection.send({ type: "read", seq });
    this.#change();
  }

  /** Call it at each key with true, with false when the input is left or emptied. */
  typing(on) {
    clearTimeout(this.#typingTimer);
    if (on) this.#typingTimer = setTimeout(() => this.typing(false), this.#times.typingPause);
    if (on !== this.#typingSaid && this.#connection.send({ type: "typing", on })) this.#typingSaid = on;
  }

  /** The shop's sign-in says who this is; said again with each new connection. */
  identify(jwt) {
    this.#jwt = jwt;
    if (this.#connection.send({ type: "identify", jwt })) this.#jwtTold = jwt;
  }

  /** The shopper has signed out of the shop: what was shown is forgotten, a new visitor begins. */
  signOut() {
    this.#jwt = undefined;
    this.#leave("sign_out");
  }

  /** A new conversation; the one before cannot be opened any more. */
  restart() {
    this.#leave("restart");
  }

  /** The conversation is over and stays to be read. */
  end() {
    this.#sendOrKeep({ type: "end" });
  }

  /** @returns {Promise<{link: string, until: string}>} rejects with an Error that has a `why` */
  whatsapp() {
    return this.#ask({ type: "whatsapp" });
  }

  /** Undoes that. */
  unlink() {
    this.#sendOrKeep({ type: "unlink" });
  }

  /**
   * The whole conversation as plain text; older pages are fetched for it.
   * @param {object} words  {shopper, assistant, agent, place, events: {ended: "...", signed_in: "...", ...}}
   * @param {(at: string) => string} [when]  how to write an instant
   * @returns {Promise<string>}
   */
  async transcript(words, when) {
    while (this.hasMore && (await this.more()));
    const { transcript } = await import("./transcript.js");
    return transcript(this.entries, words, when);
  }

  #changedElsewhere(key, value) {
    if (key === "seen") this.#change();
    else if (key === "token") this.#visitorChangedElsewhere();
    else this.#outbox.changedElsewhere(key, value, (id) => this.entries.some((entry) => entry.id === id));
  }

  #visitorChangedElsewhere() {
    const { conversation } = this.#visitor();
    if (!conversation || conversation === this.#conversation) return;
    if (this.#firstVisitor) this.#memory.set("token", this.#firstVisitor); // that tab has said nothing yet, and follows
    else this.#connection.reopen();
  }

  // --- Frames ---

  #hello(isFirst) {
    if (isFirst) this.#jwtTold = this.#jwt;
    const first = isFirst ? { language: this.#language, page: this.#page ?? location.href, jwt: this.#jwt } : {};
    const { token, conversation } = this.#visitor();
    if (!token) this.#newcomers.join();
    const isShown = this.#hasPage && token && conversation === this.#conversation;
    const shown = isShown ? { after: this.#newest(), read: this.readByShop } : {};
    return { type: "hello", v: 1, token, typing: this.isTyping !== null, ...shown, ...first };
  }

  /** A token that was refused is not deleted: another tab may have put a new one in its place a moment ago. */
  #visitor() {
    const { token, conversation } = parsed(this.#memory.get("token")) ?? {};
    return token === this.#refusedToken ? {} : { token, conversation };
  }

  #newest() {
    return this.entries.at(-1)?.seq ?? 0;
  }

  #take(frame) {
    const takes = {
      welcome: () => this.#welcomed(frame),
      entries: () => this.#came(frame),
      marks: () => (this.readByShop = Math.max(this.readByShop, frame.read)),
      typing: () => this.#theyType(frame.on ? frame.by : null),
      refused: () => this.#refused(frame),
      whatsapp: () => this.#answer("whatsapp", "resolve", frame),
    };
    takes[frame.type]?.();
    this.#change();
  }

  #connected() {
    this.#filling.clear();
    this.#isJwtAsked = false;
    if (this.#jwt && this.#jwt !== this.#jwtTold) this.identify(this.#jwt); // it came between hello and welcome
    if (this.#leaving) this.#connection.send({ type: this.#leaving });
    for (const frame of this.#later.splice(0)) this.#connection.send(frame);
    if (this.#seen()) this.#connection.send({ type: "read", seq: this.#seen() });
    this.#outbox.release();
  }

  #disconnected() {
    this.#typingSaid = false;
    this.#theyType(null);
    for (const kind of [...this.#asked.keys()]) this.#answer(kind, "reject", failure("not_now"));
    this.#outbox.release();
  }

  #welcomed(frame) {
    const isOther = this.#conversation !== frame.conversation;
    if (this.#leaving && !isOther) return;
    const isUnasked = isOther && this.#conversation && !this.#leaving && frame.seq > 0;
    const isNew = !this.#visitor().token;
    this.#keepVisitor(frame);
    if (isNew) this.#agree();
    this.#leaving = null;
    this.abilities = frame;
    if (isOther) this.#begin(frame.conversation);
    this.readByShop = frame.read;
    if (frame.seq === 0) this.#hasPage = true;
    if (isUnasked) this.#connection.reopen(); // the hello was for the entries after those of the other conversation
  }

  /**
   * Tabs that became new visitors at the same time agree upon one before anything is said. One that is alone need not wait: whoever
   * joins after it sees that it is there, and waits; should that tab, which did not find our token yet, put its own in the place, ours
   * is put back.
   */
  async #agree() {
    const { settle } = this.#times;
    const goOn = this.#outbox.hold(settle);
    setTimeout(() => this.#hasAgreed(), settle);
    const visitor = this.#memory.get("token");
    const isAlone = await this.#newcomers.isAlone();
    if (!isAlone || this.#memory.get("token") !== visitor) return;
    this.#firstVisitor = visitor;
    goOn();
  }

  #hasAgreed() {
    this.#firstVisitor = null;
    this.#newcomers.leave();
  }

  /** In one piece, so that no tab sees the one without the other. */
  #keepVisitor({ token, conversation }) {
    const visitor = JSON.stringify({ token, conversation });
    if (this.#memory.get("token") !== visitor) this.#memory.set("token", visitor);
  }

  #begin(conversation) {
    this.#forget();
    this.#conversation = conversation;
    this.#outbox.moveTo(conversation);
  }

  #forget() {
    this.entries = [];
    this.#arrivals.clear();
    this.hasMore = this.#hasPage = false;
    this.readByShop = 0;
    this.#theyType(null);
  }

  #leave(how) {
    this.#outbox.clear();
    this.#forget();
    if (this.#connection.send({ type: how })) {
      this.#leaving = how;
      this.#connection.check();
    } else this.#memory.set("token", null);
    this.#change();
  }

  #came({ entries, more }) {
    if (this.#leaving) return;
    const isPage = more !== undefined;
    const [oldest, newest, hadPage] = [this.entries[0]?.seq ?? Infinity, this.#newest(), this.#hasPage];
    const bySeq = new Map(this.entries.map((entry) => [entry.seq, entry]));
    for (const entry of entries) if (isPage || entry.seq >= oldest || !hadPage || !newest) bySeq.set(entry.seq, entry);
    this.entries = [...bySeq.values()].sort((one, other) => one.seq - other.seq);
    for (const { seq } of entries) this.#arrivals.set(seq, Date.now());
    if (isPage) this.#hasPage = true;
    if (isPage && entries.filter(({ seq }) => this.#old.delete(seq)).length) this.#answer("renew", "resolve");
    if (isPage && (entries[0]?.seq ?? 0) < oldest) {
      this.hasMore = more;
      this.#answer("more", "resolve");
    }
    for (const { id } of entries) if (id) this.#outbox.settle(id);
    if (this.#newest() > newest) this.#connection.send({ type: "got", seq: this.#newest() });
    if (hadPage) this.#announce(entries.filter(({ seq, by }) => seq > newest && by !== "shopper"));
    this.#fillGap();
  }

  #announce(entries) {
    if (entries.some(({ by }) => by === this.isTyping)) this.#theyType(null);
    for (const entry of entries) this.#tell("arrived", entry);
  }

  /** Should entries be missing between those that are here, their page is asked for. */
  #fillGap() {
    const end = this.entries.find(({ seq }, index) => index && seq > this.entries[index - 1].seq + 1)?.seq;
    if (!end || this.#filling.has(end)) return;
    this.#filling.add(end);
    this.#connection.send({ type: "more", before: end });
  }

  #theyType(by) {
    clearTimeout(this.#theirTypingTimer);
    this.isTyping = by;
    if (!by) return;
    this.#theirTypingTimer = setTimeout(() => {
      this.isTyping = null; // over long polling the end of it may have been missed
      this.#change();
    }, this.#times.typingMost);
  }

  #refused(frame) {
    const { of, why, after = 2 } = frame;
    const isTransient = TRANSIENT.includes(why);
    if (of === "hello" && ["unknown_visitor", "bad_frame"].includes(why)) return this.#refuseToken();
    if (why === "unknown_visitor") return this.#connection.reopen(); // its hello finds out who we are
    if (isTransient && [this.#leaving, "identify"].includes(of)) return void setTimeout(() => this.#askAgain(of), after * 1000);
    this.#answer(of, "reject", failure(why, after));
    if (of === "more") this.#answer("renew", "reject", failure(why, after));
    if (of === "identify") this.#jwtRefused(why);
    else if (this.#outbox.refused(frame) || !isTransient) this.#tell("refused", frame);
  }

  #refuseToken() {
    this.#refusedToken = this.#visitor().token ?? this.#refusedToken;
  }

  #askAgain(what) {
    if (what === this.#leaving) this.#connection.send({ type: what });
    if (what === "identify" && this.#jwt) this.identify(this.#jwt);
  }

  async #jwtRefused(why) {
    this.#jwt = undefined;
    this.#tell("refused", { of: "identify", why });
    if (!this.freshJwt || this.#isJwtAsked || !["old_jwt", "used_jwt"].includes(why)) return;
    this.#isJwtAsked = true; // once for each connection: a shop whose clock is wrong gives old ones for ever
    const fresh = async () => this.freshJwt();
    const jwt = await fresh().catch(() => null);
    if (jwt) this.identify(jwt);
  }

  // --- Questions and their answers; memory; events ---

  #sendOrKeep(frame) {
    if (!this.#connection.send(frame)) this.#later.push(frame);
  }

  /** The same question is asked once at a time. */
  #ask(frame, kind = frame.type) {
    const asked = this.#asked.get(kind);
    if (asked) return asked.promise;
    if (!this.#connection.send(frame)) return Promise.reject(failure("not_now"));
    const question = { timer: setTimeout(() => this.#answer(kind, "reject", failure("not_now")), this.#times.answerWithin) };
    question.promise = new Promise((resolve, reject) => Object.assign(question, { resolve, reject }));
    this.#asked.set(kind, question);
    return question.promise;
  }

  #answer(kind, how, answer) {
    const question = this.#asked.get(kind);
    clearTimeout(question?.timer);
    this.#asked.delete(kind);
    question?.[how](answer);
  }

  #seen() {
    const [seq, conversation] = (this.#memory.get("seen") ?? "").split(" ");
    return conversation === this.#conversation && Number(seq) ? Number(seq) : 0;
  }

  /** Once, however much has changed. */
  #change() {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      this.#tell("change");
    });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function isSaid(by) {
  return by === "assistant" || by === "agent";
}

function failure(why, after) {
  return Object.assign(new Error(why), { why, after });
}

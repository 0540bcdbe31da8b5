// What the shopper wrote and the server has not shown yet. Each is kept in the browser under a key of its own, as tabs cannot lock
// what they share. Any tab may send any of them: the server takes each `id` once.

import { TRANSIENT } from "./connection.js";

const KEY = "pending.";
const FRAMES = {
  say: ({ id, text, files }) => ({ type: "say", id, text, files: files.length ? files.map((file) => file.id) : undefined }),
  choose: ({ id, seq, choice }) => ({ type: "choose", id, seq, choice }),
  place: ({ id, latitude, longitude }) => ({ type: "place", id, latitude, longitude }),
};

export class Outbox {
  /** In the order in which it was written. @type {import("./chat.js").Pending[]} */
  pending = [];

  #memory;
  #times;
  #send;
  #unanswered;
  #changed;
  #underWay = null; // id of what was sent last, until its entry is here: one after the other keeps the order
  #timer = null; // for its answer
  #held = null; // timer: the server, or another tab, may ask to wait
  #theirs = new Map(); // ids that another tab has just written or taken away, which are that tab's to send: timers

  /**
   * @param {object} options
   * @param {import("./memory.js").Memory} options.memory
   * @param {{answerWithin: number, otherTab: number}} options.times  in milliseconds
   * @param {(frame: object) => boolean} options.send  false: not now
   * @param {() => void} options.unanswered
   * @param {() => void} options.changed  `pending` is to be drawn
   */
  constructor({ memory, times, send, unanswered, changed }) {
    this.#memory = memory;
    this.#times = times;
    this.#send = send;
    this.#unanswered = unanswered;
    this.#changed = changed;
    const stored = memory.keys(KEY).map((key) => this.#read(key, memory.get(key)));
    this.pending = stored.filter(Boolean).sort(inOrder);
  }

  /** @param {object} content  {type, text, files, ...} @param {string|null} conversation  in which it was written @returns {string} id */
  write(content, conversation) {
    const n = 1 + Math.max(0, ...this.pending.map((each) => each.n)); // a clock might jump
    const pending = { id: freshId(), n, ...content, conversation, state: "waiting" };
    this.#add(pending);
    this.#keep(pending);
    this.flush();
    return pending.id;
  }

  /** Takes back what is waiting or refused. @returns {object|null} null where it is too late */
  withdraw(id) {
    const pending = this.#find(id);
    if (!pending || pending.state === "sending") return null;
    this.settle(id);
    return pending;
  }

  /** It stands in an entry, or was taken back. */
  settle(id) {
    if (!this.#find(id)) return;
    this.#memory.set(KEY + id, null);
    this.#drop(id);
  }

  /** Forgets all of it. */
  clear() {
    for (const { id } of this.pending) this.#memory.set(KEY + id, null);
    this.pending = [];
    this.release();
  }

  /** Sends the oldest that waits, once the one before has arrived. */
  flush() {
    if (this.#underWay || this.#held) return;
    const next = this.pending.find(({ id, state }) => state === "waiting" && !this.#theirs.has(id));
    if (!next || !this.#send(FRAMES[next.type](next))) return;
    this.#underWay = next.id;
    this.#set(next, "sending");
    this.#timer = setTimeout(() => {
      this.release();
      this.#unanswered();
    }, this.#times.answerWithin);
  }

  /** The next may go; what was under way and did not arrive is the next. */
  release() {
    clearTimeout(this.#timer);
    const pending = this.#find(this.#underWay);
    this.#underWay = null;
    if (pending?.state === "sending") this.#set(pending, "waiting");
    this.flush();
  }

  /** Nothing goes out for so long, and a chance bit longer. @param {number} period  milliseconds @returns {() => void} ends it early */
  hold(period) {
    clearTimeout(this.#held);
    const over = () => ((this.#held = null), this.flush());
    const held = (this.#held = setTimeout(over, period * (1 + Math.random() / 4)));
    return () => {
      if (this.#held !== held) return; // it is over, or there is another
      clearTimeout(held);
      over();
    };
  }

  /** @returns {boolean} whether it is one of ours, and for good */
  refused({ of, id = this.#underWay, why, after = 2 }) {
    const pending = Object.hasOwn(FRAMES, of) && this.#find(id);
    if (!pending) return false;
    const isForGood = !TRANSIENT.includes(why);
    if (isForGood) this.#set(pending, "refused", why);
    else this.hold(after * 1000);
    if (this.#underWay === pending.id) this.release();
    return isForGood;
  }

  /** In another conversation there is nothing to choose from any more. */
  moveTo(conversation) {
    const isLost = (each) => each.type === "choose" && each.conversation !== conversation;
    for (const pending of this.pending.filter(isLost)) this.#set(pending, "refused", "unknown_choice");
    this.release();
  }

  /** Another tab has changed what is stored. @param {(id: string) => boolean} isShown  whether its entry is here already */
  changedElsewhere(key, value, isShown) {
    if (!key.startsWith(KEY)) return;
    const id = key.slice(KEY.length);
    const known = this.#find(id);
    if (value === null) return known && this.#leaveToOther(id, () => this.#drop(id)); // by then its entry is here
    const pending = this.#read(key, value);
    if (!pending || isShown(id)) return;
    if (known) return this.#set(known, pending.state, pending.why);
    this.#add(pending);
    this.#leaveToOther(id, () => this.flush());
  }

  #leaveToOther(id, afterwards) {
    clearTimeout(this.#theirs.get(id));
    const over = () => (this.#theirs.delete(id), afterwards());
    this.#theirs.set(id, setTimeout(over, this.#times.otherTab));
  }

  #find(id) {
    return this.pending.find((each) => each.id === id);
  }

  #add(pending) {
    this.pending = [...this.pending, pending].sort(inOrder);
    this.#changed();
  }

  #drop(id) {
    this.pending = this.pending.filter((each) => each.id !== id);
    if (this.#underWay === id) this.release();
    this.#changed();
  }

  #set(pending, state, why) {
    Object.assign(pending, { state, why });
    if (state === "refused") this.#keep(pending);
    this.#changed();
  }

  #keep(pending) {
    const state = pending.state === "refused" ? "refused" : "waiting"; // who is sending it may be gone by then
    this.#memory.set(KEY + pending.id, JSON.stringify({ ...pending, state }));
  }

  /** What cannot be read any more is as if it had never been written. */
  #read(key, text) {
    const pending = parsed(text) ?? {};
    const isOurs = Object.hasOwn(FRAMES, pending.type) && KEY + pending.id === key && Number.isInteger(pending.n);
    if (isOurs && Array.isArray(pending.files)) return pending;
    this.#memory.set(key, null);
    return null;
  }
}

function inOrder(one, other) {
  return one.n - other.n || (one.id < other.id ? -1 : 1);
}

export function freshId() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-"); // randomUUID is only for pages with HTTPS
}

/** @returns {any} null where it is spoilt */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

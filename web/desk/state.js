// What the desk knows: the agent, colleagues, every open conversation, and the one that is looked at. The server's word counts; what
// the agent does is shown at once, and put right when the server says otherwise.

import { get, post, query } from "./api.js";
import { now } from "./clock.js";
import { language, titled } from "./words.js";

const MOST_SEEN = 50; // of the shopper's messages that the server is told of
const NOBODY = { entries: [], events: [], acts: [], templates: [], has_more: false };

/**
 * Events: "items", "agents", "me", "link" (the connection), "conversation" (another one, or all of it anew), "entries", "typing",
 * "alert" (detail: the frame), "suggested" (detail: {handoff, text}: a reply that the agent wants to begin with), "out" (detail: why nobody is signed in any more).
 */
export class Desk extends EventTarget {
  agents = [];
  queues = [];
  reasons = [];
  topics = [];
  goals = []; // what shoppers want: topics of those that nobody has resolved yet
  acts = []; // titles of what can be done for a shopper, in the transcript and the audit log
  items = new Map(); // by id, also closed ones that were just looked at
  open = null; // {id, state: "loading" | "here" | "failed", refusal?, shopper, packet, acts, entries, has_more, templates, typing: Map}
  files = null; // {types, most_bytes}
  opensTomorrowAt = null;

  #connection;

  constructor(me, connection) {
    super();
    this.me = me;
    this.#connection = connection;
    connection.addEventListener("frame", ({ detail }) => this.#take(detail));
    connection.addEventListener("state", () => this.tell("link"));
    connection.addEventListener("out", ({ detail }) => this.tell("out", detail));
  }

  get link() {
    return this.#connection.state;
  }

  topicName(name) {
    return titled([...this.topics, ...this.goals], name);
  }

  may(permission) {
    return this.me.permissions.includes(permission);
  }

  all() {
    return [...this.items.values()];
  }

  /** The item that is looked at, as it is known. */
  get item() {
    return this.open ? (this.items.get(this.open.id) ?? this.open.item ?? null) : null;
  }

  /** The shopper's newest messages, of those that are shown of the conversation that is looked at. */
  get shoppersWords() {
    const isTheirs = ({ id, by, is_other_conversation: isOther }) => by === "shopper" && !isOther && id.startsWith("i");
    return (this.open?.entries ?? []).filter(isTheirs).slice(-MOST_SEEN);
  }

  // --- What comes ---

  #take(frame) {
    const takers = {
      welcome: () => this.#welcomed(frame),
      changed: () => this.#changed(frame),
      entries: () => this.#said(frame),
      typing: () => this.#typing(frame),
      agents: () => this.#agents(frame.agents),
      alert: () => this.tell("alert", frame),
    };
    if (Object.hasOwn(takers, frame.type)) takers[frame.type]();
  }

  #welcomed({ me, agents, queues, reasons, topics, items, goals = [], acts = [], files = null, opens_tomorrow_at = null }) {
    Object.assign(this, { me, queues, reasons, topics, goals, acts, files, opensTomorrowAt: opens_tomorrow_at });
    this.items = new Map(items.map((item) => [item.id, item]));
    this.#agents(agents);
    this.tell("me");
    this.tell("items");
    if (this.open) this.look(this.open.id, { isAgain: true });
  }

  #changed({ items = [], gone = [] }) {
    for (const item of items) this.items.set(item.id, item);
    for (const id of gone) this.#forget(id);
    this.tell("items");
  }

  #forget(id) {
    const item = this.items.get(id);
    this.items.delete(id);
    if (this.open?.id !== id || !item) return;
    this.open.item = item;
    this.open.isGone = true;
  }

  #agents(agents) {
    this.agents = agents;
    const own = agents.find((agent) => agent.name === this.me.name);
    if (own?.status) this.me = { ...this.me, status: own.status };
    this.tell("agents");
  }

  #said({ handoff, entries }) {
    if (this.open?.id === handoff) this.merge(entries);
  }

  #typing({ handoff, by, on }) {
    const item = this.items.get(handoff);
    if (item && by === "shopper") this.items.set(handoff, { ...item, typing: on });
    if (this.open?.id === handoff && on) this.open.typing.set(by, now());
    if (this.open?.id === handoff && !on) this.open.typing.delete(by);
    this.tell("typing", handoff);
  }

  // --- The conversation that is looked at ---

  /** Opens a conversation; null: none. */
  async look(id, { isAgain = false } = {}) {
    if (!isAgain) this.open = id === null ? null : { ...NOBODY, id, state: "loading", typing: new Map() };
    this.#connection.send({ type: "watch", handoff: id });
    this.tell("conversation");
    if (id !== null) await this.reload();
  }

  /** Asks anew for all that is known: after an act, and when the connection is back. */
  async reload() {
    const { open } = this;
    if (!open) return;
    try {
      const found = await get(query(`handoffs/${open.id}`, { language }));
      if (this.open !== open) return;
      const older = open.entries.filter((entry) => !found.entries.some(({ id }) => id === entry.id));
      const isSplit = older.length > 0 && found.has_more && !open.entries.some(({ id }) => id === found.entries[0]?.id);
      const entries = isSplit ? found.entries : inOrder([...older, ...found.entries]);
      const has_more = older.length && !isSplit ? open.has_more : found.has_more;
      Object.assign(open, found, { entries, has_more, state: "here", refusal: null });
      this.items.set(open.id, found.item);
      open.isGone = false;
    } catch (refusal) {
      if (this.open !== open) return;
      if (open.state === "loading") Object.assign(open, { state: "failed", refusal });
    }
    this.tell("conversation");
    this.tell("items");
  }

  /** Entries of the conversation that is looked at: new ones, or others in the place of those with the same id. */
  merge(entries) {
    const byId = new Map(this.open.entries.map((entry) => [entry.id, entry]));
    for (const entry of entries) byId.set(entry.id, entry);
    this.open.entries = inOrder([...byId.values()]);
    this.tell("entries", entries);
  }

  /** Whether older entries came. */
  async older() {
    const { open } = this;
    if (!open?.has_more || open.isAsking) return false;
    open.isAsking = true;
    try {
      const found = await get(`handoffs/${open.id}/entries?before=${encodeURIComponent(open.entries[0].id)}`);
      open.has_more = found.has_more;
      if (this.open === open) this.merge(found.entries);
      return true;
    } catch {
      return false;
    } finally {
      open.isAsking = false;
    }
  }

  /** All that is there has been seen. */
  async read() {
    const { open, item } = this;
    const last = open?.entries.at(-1)?.id;
    if (!last || open.state !== "here" || (last === open.readUpTo && !item?.unread)) return;
    open.readUpTo = last;
    if (item?.unread) this.put({ ...item, unread: 0 });
    await post(`handoffs/${open.id}/read`, { entry: last }).catch(() => (open.readUpTo = null));
  }

  // --- What the agent does ---

  /**
   * Does something to a conversation: `guess` is what becomes of the item, shown until the server has answered. Rejects with the
   * Refusal, when the item is as the server has it.
   */
  async move(id, path, body, guess) {
    const before = this.items.get(id) ?? this.item;
    const guessed = { ...before, ...guess };
    this.put(guessed);
    try {
      const { item } = await post(`handoffs/${id}/${path}`, body);
      if (item) this.put(item);
    } catch (refusal) {
      const isTaken = refusal.code === "taken" && refusal.body.by;
      if (this.items.get(id) === guessed) this.put(isTaken ? { ...before, state: "assigned", assignee: refusal.body.by } : before);
      throw refusal;
    }
    if (this.open?.id === id) this.reload();
  }

  put(item) {
    this.items.set(item.id, item);
    this.tell("items");
  }

  setStatus(status) {
    this.me = { ...this.me, status };
    this.#connection.send({ type: "status", status });
    this.tell("me");
  }

  type(handoff, on) {
    this.#connection.send({ type: "typing", handoff, on });
  }

  leave() {
    this.#connection.close();
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(types, heard) {
    for (const type of types.split(" ")) this.addEventListener(type, heard);
  }
}

/** By time; what happened at the same instant stays in the order in which it came. */
function inOrder(entries) {
  return entries.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

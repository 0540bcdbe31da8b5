// Messages and notes on their way. Each is kept in the browser until the server has it, and goes out again with the same id after a
// lost connection or a reload: the server takes each id once. One conversation's go one after the other.

import { freshId, parsed } from "../widget/outbox.js";
import { post, Refusal } from "./api.js";
import { now } from "./clock.js";

const AGAIN = 4000; // milliseconds

/** Events: "changed", "sent" (detail: {pending, entry}), "refused" (detail: pending). */
export class Outbox extends EventTarget {
  /** {id, handoff, kind: "message" | "note", text, files, template, at, state: "waiting" | "sending" | "refused", refusal?} */
  pending = [];

  #memory;
  #prefix;
  #underWay = new Set(); // handoffs
  #timer = null;

  /** `agent`: whose. Others who sign in at this browser do not send them. */
  constructor(memory, agent) {
    super();
    this.#memory = memory;
    this.#prefix = `pending.${agent}.`;
    const kept = memory.keys(this.#prefix).map((key) => parsed(memory.get(key)));
    this.pending = kept.filter((one) => one?.id && one.handoff && one.at).sort((one, other) => one.at.localeCompare(other.at));
  }

  of(handoff) {
    return this.pending.filter((one) => one.handoff === handoff);
  }

  write(handoff, kind, content) {
    const at = new Date(now()).toISOString();
    const one = { id: freshId(), handoff, kind, text: "", files: [], ...content, at, state: "waiting" };
    this.pending.push(one);
    this.#keep(one);
    this.#changed();
    this.flush();
  }

  /** Tries one that was refused again. */
  again(id) {
    const one = this.#find(id);
    if (!one) return;
    Object.assign(one, { state: "waiting", refusal: null });
    this.#changed();
    this.flush();
  }

  /** Takes one back that is not under way. */
  withdraw(id) {
    const one = this.#find(id);
    if (!one || one.state === "sending") return null;
    this.#drop(one);
    return one;
  }

  flush() {
    clearTimeout(this.#timer);
    const handoffs = new Set(this.pending.map((one) => one.handoff));
    for (const handoff of handoffs) if (!this.#underWay.has(handoff)) this.#sendNext(handoff);
  }

  async #sendNext(handoff) {
    const one = this.of(handoff).find(({ state }) => state === "waiting");
    if (!one) return;
    this.#underWay.add(handoff);
    this.#set(one, "sending");
    try {
      const { entry } = await post(`handoffs/${handoff}/${one.kind}`, bodyOf(one));
      this.#drop(one);
      this.#tell("sent", { pending: one, entry });
    } catch (error) {
      this.#failed(one, error);
    }
    this.#underWay.delete(handoff);
    if (one.state !== "waiting") this.#sendNext(handoff);
  }

  #failed(one, error) {
    const isForNow = error instanceof Refusal && error.isForNow;
    one.refusal = isForNow ? null : { code: error.code ?? "unknown", body: error.body ?? {} };
    this.#set(one, isForNow ? "waiting" : "refused");
    if (!isForNow) return this.#tell("refused", one);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), (error.body.after ?? 0) * 1000 || AGAIN);
  }

  #find(id) {
    return this.pending.find((one) => one.id === id);
  }

  #drop(one) {
    one.state = "gone";
    this.#memory.set(this.#prefix + one.id, null);
    this.pending = this.pending.filter((other) => other !== one);
    this.#changed();
  }

  #set(one, state) {
    one.state = state;
    this.#keep(one);
    this.#changed();
  }

  #keep(one) {
    const state = one.state === "sending" ? "waiting" : one.state;
    this.#memory.set(this.#prefix + one.id, JSON.stringify({ ...one, state }));
  }

  #changed() {
    this.#tell("changed");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function bodyOf({ id, kind, text, files, template }) {
  if (kind === "note") return { id, text };
  return { id, text: text || undefined, files: files.length ? files.map((file) => file.id) : undefined, template };
}

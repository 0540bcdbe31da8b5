// What this browser remembers for the desk, under names that the shop's chat does not use.

import { Memory } from "../widget/memory.js";

const OURS = "desk.";

/** Has get, set and keys, as the chat's memory. */
export class DeskMemory {
  #memory = new Memory(`${location.origin}/`);

  get(key) {
    return this.#memory.get(OURS + key);
  }

  set(key, value) {
    this.#memory.set(OURS + key, value);
  }

  keys(start) {
    return this.#memory.keys(OURS + start).map((key) => key.slice(OURS.length));
  }

  /** What was written, and has not gone out, is nobody else's business who signs in here. */
  forget(...starts) {
    for (const key of starts.flatMap((start) => this.keys(start))) this.set(key, null);
  }
}

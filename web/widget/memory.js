// What this browser remembers for one assistant, shared by all tabs of the shop. Where the storage is forbidden or full, this tab
// alone remembers, until it is closed.

export class Memory {
  #prefix;
  #unstored = new Map();

  /** @param {string} server  address of the assistant */
  constructor(server) {
    this.#prefix = `tendero.${new URL(server, location.href).origin}.`;
  }

  /** What the keys begin with in the storage: unlike any other assistant's. @returns {string} */
  get name() {
    return this.#prefix;
  }

  /** @returns {string|null} */
  get(key) {
    return this.#unstored.get(key) ?? attempt(() => localStorage.getItem(this.#prefix + key)) ?? null;
  }

  /** @param {string|null} value  null: forget it */
  set(key, value) {
    this.#unstored.delete(key);
    if (value === null) return attempt(() => localStorage.removeItem(this.#prefix + key));
    if (!attempt(() => (localStorage.setItem(this.#prefix + key, value), true))) this.#unstored.set(key, value);
  }

  /** The keys that begin so. @returns {string[]} */
  keys(start) {
    const stored = attempt(() => Object.keys(localStorage)) ?? [];
    const ours = stored.filter((key) => key.startsWith(this.#prefix)).map((key) => key.slice(this.#prefix.length));
    return [...new Set([...ours, ...this.#unstored.keys()])].filter((key) => key.startsWith(start));
  }

  /** Calls back when another tab has changed a key; value null: forgotten. @param {(key: string, value: string|null) => void} callback */
  onChangedElsewhere(callback) {
    addEventListener("storage", ({ key, newValue }) => {
      if (key?.startsWith(this.#prefix)) callback(key.slice(this.#prefix.length), newValue);
    });
  }
}

function attempt(access) {
  try {
    return access();
  } catch {
    return undefined;
  }
}

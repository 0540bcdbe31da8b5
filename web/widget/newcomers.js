// Tabs of one browser that become new visitors at the same time. Each shows itself to the others by a lock, which all may hold at
// once. Where there are no locks (a page without HTTPS), nobody is known to be alone.

export class Newcomers {
  #name;
  #isOver = null; // ends this tab's part

  /** @param {string} name  the same in all tabs, and in nothing else */
  constructor(name) {
    this.#name = name;
  }

  /** This tab may become a new visitor. */
  join() {
    if (this.#isOver) return;
    const over = new Promise((resolve) => (this.#isOver = resolve));
    navigator.locks?.request(this.#name, { mode: "shared" }, () => over).catch(() => undefined);
  }

  leave() {
    this.#isOver?.();
    this.#isOver = null;
  }

  /** @returns {Promise<boolean>} whether this one has joined and no other; false where that cannot be known */
  async isAlone() {
    try {
      const { held, pending } = await navigator.locks.query();
      return [...held, ...pending].filter(({ name }) => name === this.#name).length === 1 && this.#isOver !== null;
    } catch {
      return false;
    }
  }
}

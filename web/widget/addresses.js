// The addresses of files in entries are signed, and hold for a day (docs/webchat-protocol.md); a page may be open for longer.

import { webAddress } from "./dom.js";

const HOLDS = 23 * 3_600_000; // milliseconds: a day, less what a clock may be wrong by

export class FileAddress {
  #given;
  #desk;
  #came;

  /**
   * @param {string} given  as it stands in the entry
   * @param {object} desk  {server, came, renewed}: when the entry came, and `renewed(given)`, a promise of what stands there now
   */
  constructor(given, desk) {
    this.#given = given;
    this.#desk = desk;
    this.#came = desk.came ?? Date.now();
    /** @type {string|null} null where it is no address of the web */
    this.href = webAddress(given, desk.server);
  }

  get isOld() {
    return Date.now() - this.#came > HOLDS;
  }

  /** One that holds, if there is one to be had. @returns {Promise<string>} */
  async current() {
    if (this.isOld) await this.renew();
    return this.href;
  }

  /** @returns {Promise<boolean>} whether it is another one now; false, too, where the server is away */
  async renew() {
    const given = await Promise.resolve(this.#desk.renewed?.(this.#given)).catch(() => null);
    const href = webAddress(given, this.#desk.server);
    if (!href) return false;
    const isOther = href !== this.href;
    [this.href, this.#came] = [href, Date.now()];
    return isOther;
  }
}

/** All addresses in an entry, in its order: the same file has the same place among them when the entry comes again. */
export function addressesIn(part) {
  return Object.entries(part ?? {}).flatMap(([key, value]) => {
    if (Object(value) === value) return addressesIn(value);
    return key === "url" || key === "picture" ? [value] : [];
  });
}

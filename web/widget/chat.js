// What the visitor's conversation is, and all that the visitor can do in it. No DOM: view.js draws this.
// The words are those of docs/webchat-protocol.md.

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
  /** @type {Pending[]} */
  pending = [];
  /** The newest seq of the shopper's that the shop has read. */
  readByShop = 0;
  /** How many entries that are not by the shopper stand after the newest that was `read`, in any tab. */
  unread = 0;
  /** @type {"assistant"|"agent"|null} */
  isTyping = null;
  /** connecting: at the start, and a moment after a loss. @type {"connecting"|"online"|"offline"} */
  status = "connecting";
  /** The newest `welcome`: {language, signed_in, name, text_most, files, whatsapp, ...}; null before the first. */
  abilities = null;
  /** Whether there are older entries than the first of these. */
  hasMore = false;
  /** Set by the page: called where the token of the sign-in is too old or used up. @type {null | (() => Promise<string|null>)} */
  freshJwt = null;

  /**
   * @param {object} options
   * @param {string} options.server  address of the assistant, e.g. "https://assistant.shop.example"
   * @param {string} [options.language]  "en", "de", ...
   * @param {string} [options.page]  address of the page; left out: the one that the browser shows
   * @param {string} [options.jwt]  as in `identify`
   * @param {object} [options.times]  other periods than usual, in milliseconds
   */
  constructor(options) {
    super();
  }

  /** Connects, and stays connected until `stop`. */
  start() {}

  /** Leaves. What is pending goes out at the next `start`, of any tab. */
  stop() {}

  /** Works offline too: goes out when the server is back. @param {{id: string}[]} [files] as `upload` gave them. @returns {string} id */
  say(text, files = []) {}

  /** Takes choice `choice` (its `index`) of entry `seq`. `title` is shown until the server has it. @returns {string} id */
  choose(seq, choice, title) {}

  /** @returns {string} id */
  place(latitude, longitude) {}

  /** Takes back what is waiting or refused. @returns {Pending|null} null where it is too late */
  withdraw(id) {}

  /**
   * @param {File} file
   * @param {(share: number) => void} [onProgress]  from 0 to 1
   * @param {AbortSignal} [signal]
   * @returns {Promise<{id: string, name: string, type: string, size: number}>} rejects with an Error that has a `why`:
   *   "too_large", "wrong_type", "too_many" and "not_now" (with `after`, seconds), "unknown_visitor", "failed", "aborted"
   */
  async upload(file, onProgress, signal) {}

  /** Asks for the page before the first entry. @returns {Promise<boolean>} whether it came */
  async more() {}

  /** Asks for these entries again, when the addresses in them (which hold a day) no longer do. */
  renew(seq) {}

  /** All up to this entry has been seen. */
  read(seq) {}

  /** Call it at each key with true, with false when the input is left or emptied. */
  typing(on) {}

  /** The shop's sign-in says who this is; said again with each new connection. */
  identify(jwt) {}

  /** The shopper has signed out of the shop: what was shown is forgotten, a new visitor begins. */
  signOut() {}

  /** A new conversation; the one before cannot be opened any more. */
  restart() {}

  /** The conversation is over and stays to be read. */
  end() {}

  /** @returns {Promise<{link: string, until: string}>} rejects with an Error that has a `why` */
  async whatsapp() {}

  /** Undoes that. */
  unlink() {}

  /**
   * The whole conversation as plain text.
   * @param {object} words  {shopper, assistant, agent, place, choice?, events: {ended, signed_in, ...}}
   * @returns {Promise<string>}
   */
  async transcript(words) {}
}

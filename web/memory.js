// What this browser remembers: the visitor's token, the chosen language and the messages, as plain data.
//
// A message is {id, from: "shopper", text, payload, state} or {id, from: "shop", text, buttons, chosen, image, attachment}.
// state: queued (waits for its turn), sending, sent, failed (did not get there), unanswered (perhaps it did), tooLong.

const KEY = "tendero.chat";
const MOST_MESSAGES = 300;

export const memory = { token: null, language: null, messages: [] };

let storing = true; // until the browser refuses

/** Reads what was stored, by this tab or by another one. */
export function recall() {
  if (!storing) return;
  try {
    Object.assign(memory, JSON.parse(localStorage.getItem(KEY)) ?? { token: null, messages: [] });
  } catch {
    // Storage is forbidden or spoilt: what this tab knows will do.
  }
}

/** Changes what is remembered: on top of the newest, since another tab may have written meanwhile. */
export function edit(change) {
  recall();
  const result = change(memory);
  memory.messages = memory.messages.slice(-MOST_MESSAGES);
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    storing = false; // full or forbidden: the chat goes on, and does not survive a reload
  }
  return result;
}

/** Nobody waits any more for what was under way when the page was left: the shopper decides whether it goes out again. */
export function settleInterrupted() {
  const settled = { queued: "failed", sending: "unanswered" };
  edit(({ messages }) => {
    for (const message of messages) message.state = settled[message.state] ?? message.state;
  });
}

export function remember(message) {
  return edit(({ messages }) => messages[messages.push({ id: freshId(), ...message }) - 1]);
}

/** Changes a message and returns it, or undefined where it is gone (a new conversation was started). */
export function change(id, changes) {
  return edit(({ messages }) => {
    const message = messages.find((each) => each.id === id);
    return message && Object.assign(message, changes);
  });
}

export function forget(id) {
  edit((all) => {
    all.messages = all.messages.filter((each) => each.id !== id);
  });
}

export function forgetConversation() {
  edit((all) => {
    all.token = null;
    all.messages = [];
  });
}

/** Calls back when another tab of this browser changed what is remembered. */
export function onChangedElsewhere(callback) {
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    recall();
    callback();
  });
}

function freshId() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

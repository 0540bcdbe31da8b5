// What this browser remembers: the visitor's token, the chosen language and the messages, as plain data.
//
// A message is {id, from: "shopper", text, payload, state} or {id, from: "shop", text, buttons, chosen, image, attachment}.
// state: queued (waits for its turn), sending, sent, failed (did not get there), unanswered (perhaps it did), tooLong.

const KEY = "tendero.chat";
const MOST_MESSAGES = 300;

export const memory = { token: null, language: null, messages: [] };

/** Reads what was stored, by this tab or by another one. */
export function recall() {
  const stored = read();
  memory.token = stored.token ?? null;
  memory.language = stored.language ?? null;
  memory.messages = Array.isArray(stored.messages) ? stored.messages : [];
}

/** Nobody waits any more for what was under way when the page was left: the shopper decides whether it goes out again. */
export function settleInterrupted() {
  const settled = { queued: "failed", sending: "unanswered" };
  for (const message of memory.messages) message.state = settled[message.state] ?? message.state;
  keep();
}

export function keep() {
  memory.messages = memory.messages.slice(-MOST_MESSAGES);
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Storage is full or forbidden: the chat goes on without surviving a reload.
  }
}

export function remember(message) {
  memory.messages.push({ id: freshId(), ...message });
  keep();
  return memory.messages.at(-1);
}

/** Changes a message and returns it, or undefined where it is gone (a new conversation was started). */
export function change(id, changes) {
  const message = memory.messages.find((each) => each.id === id);
  if (message) Object.assign(message, changes);
  keep();
  return message;
}

export function forget(id) {
  memory.messages = memory.messages.filter((each) => each.id !== id);
  keep();
}

export function forgetConversation() {
  memory.token = null;
  memory.messages = [];
  keep();
}

/** Calls back when another tab of this browser changed what is remembered. */
export function onChangedElsewhere(callback) {
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    recall();
    callback();
  });
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function freshId() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

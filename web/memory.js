// What this browser remembers: the visitor's token, the chosen language and the messages, as plain data.
//
// A message is {id, from: "shopper", text, payload, state} or {id, from: "shop", text, buttons, chosen, image, attachment}.
// state: queued (waits for its turn), sending, sent, failed (did not get there), unanswered (perhaps it did), tooLong.
//
// Each thing is stored under a key of its own. Tabs cannot lock what they share: were all of it one value, a tab would write
// over what another one has changed a moment before.

const PREFIX = "tendero.chat.";
const MESSAGE = `${PREFIX}message.`;
const TOKEN = `${PREFIX}token`;
const LANGUAGE = `${PREFIX}language`;
const MOST_MESSAGES = 300;

export const memory = { token: null, language: null, messages: [] };

let storing = true; // until the browser refuses
let newestId = 0;

/** Reads what was stored, by this tab or by another one. */
export function recall() {
  if (!storing) return;
  try {
    memory.token = localStorage.getItem(TOKEN);
    memory.language = localStorage.getItem(LANGUAGE);
    memory.messages = Object.keys(localStorage)
      .filter((key) => key.startsWith(MESSAGE))
      .sort()
      .map((key) => parsed(localStorage.getItem(key)))
      .filter(Boolean);
  } catch {
    storing = false; // forbidden: what this tab knows will do
  }
}

export function keepToken(token) {
  memory.token = token;
  store(TOKEN, token);
}

export function keepLanguage(language) {
  memory.language = language;
  store(LANGUAGE, language);
}

/** Nobody waits any more for what was under way when the page was left: the shopper decides whether it goes out again. */
export function settleInterrupted() {
  const settled = { queued: "failed", sending: "unanswered" };
  for (const { id, state } of memory.messages) if (settled[state]) change(id, { state: settled[state] });
}

export function remember(message) {
  recall();
  const remembered = { id: freshId(), ...message };
  memory.messages.push(remembered);
  store(MESSAGE + remembered.id, JSON.stringify(remembered));
  for (const { id } of memory.messages.slice(0, -MOST_MESSAGES)) forget(id);
  return remembered;
}

/** Changes a message and returns it, or undefined where it is gone (a new conversation was started). */
export function change(id, changes) {
  recall();
  const message = memory.messages.find((each) => each.id === id);
  if (!message) return undefined;
  Object.assign(message, changes);
  store(MESSAGE + id, JSON.stringify(message));
  return message;
}

export function forget(id) {
  memory.messages = memory.messages.filter((each) => each.id !== id);
  store(MESSAGE + id, null);
}

export function forgetConversation() {
  recall();
  for (const { id } of memory.messages) forget(id);
  keepToken(null);
}

/** Calls back when another tab of this browser changed what is remembered: once, however much it changed. */
export function onChangedElsewhere(callback) {
  let told = false;
  addEventListener("storage", ({ key }) => {
    if (told || !(key === null || key.startsWith(PREFIX))) return;
    told = true;
    setTimeout(() => {
      told = false;
      recall();
      callback();
    });
  });
}

/** null: forget it. */
function store(key, value) {
  if (!storing) return;
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    storing = false; // full or forbidden: the chat goes on, and does not survive a reload
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // spoilt: as if it had never been said
  }
}

/** Sorts by time; two ids of one tab are never the same, and of two tabs hardly ever. */
function freshId() {
  newestId = Math.max(Date.now(), newestId + 1);
  return `${newestId.toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

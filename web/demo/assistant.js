// The page and the chat widget: all that a shop's own scripts have to know of it.

import { announce } from "./make.js";
import { say } from "./shop.js";

const WAITS = 8000; // milliseconds

/** Open the chat; with text, say it there as the shopper. */
export async function ask(text) {
  const chat = await widget();
  if (chat === null) return announce(say("no_chat"));
  chat.open();
  if (text) chat.say(text);
}

/** The chat goes on as this customer of the shop. jwt: from the shop's server. */
export async function signIn(jwt) {
  (await widget())?.signIn(jwt);
}

export async function signOut() {
  (await widget())?.signOut();
}

export async function speakLanguage(language) {
  (await widget())?.setAttribute("data-language", language);
}

/** The element, once its script is there; null where it does not come. */
async function widget() {
  const late = new Promise((resolve) => setTimeout(resolve, WAITS, null));
  const there = customElements.whenDefined("tendero-chat").then(() => document.querySelector("tendero-chat"));
  return Promise.race([there, late]);
}

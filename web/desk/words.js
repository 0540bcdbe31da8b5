// The page's words (data/desk/<language>.yml), in the language that the agent chose, else the browser's.

import { filled } from "../widget/dom.js";
import { wordsFor } from "../widget/words.js";

export const LANGUAGES = ["es", "en", "pt", "nb"];
const FOLDER = "webhooks/desk/v1/words/";

/** The words by their keys; empty until `learn` is done. */
export const words = {};
/** A tag for Intl: the browser's own where it is of this language ("es-MX"). */
export let locale = "en";
export let language = "en";

/** Rejects where no words can be had. */
export async function learn(memory) {
  const wanted = [memory.get("language"), ...navigator.languages];
  const found = await wordsFor(`${location.origin}/`, wanted, FOLDER);
  Object.assign(words, found.words);
  language = found.language;
  locale = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
}

/** `words[key]` with its {placeholders} filled in. */
export function say(key, values = {}) {
  return filled(words[key] ?? key, values);
}

/** What a code of the server is called here; what nobody wrote a word for is shown as it is, readably. */
export function named(kind, code) {
  return words[`${kind}_${code}`] ?? readable(code);
}

/** What a list of {name, title} calls it. */
export function titled(list, name) {
  return list.find((each) => each.name === name)?.title ?? readable(name);
}

function readable(code) {
  return String(code ?? "").replaceAll("_", " ");
}

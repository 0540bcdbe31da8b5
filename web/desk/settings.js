// What an agent chooses for this browser.

import { make } from "../widget/dom.js";
import { language, LANGUAGES, words } from "./words.js";

/** The page comes anew in the other language: what was written stays. */
export function languageSwitch(memory) {
  const name = (code) => new Intl.DisplayNames([code], { type: "language" }).of(code);
  const options = LANGUAGES.map((code) => make("option", { value: code, selected: code === language, lang: code }, name(code)));
  const changed = ({ target }) => {
    memory.set("language", target.value);
    location.reload();
  };
  return make("label", { class: "language" }, make("span", {}, words.language), make("select", { change: changed }, options));
}

// Where the page begins: its words, who is asking, and then the desk.

import { make } from "../widget/dom.js";
import { get, inWords } from "./api.js";
import { App } from "./app.js";
import { DeskMemory } from "./memory.js";
import { reasonToSignIn, signIn } from "./sign_in.js";
import { language, learn, words } from "./words.js";

const memory = new DeskMemory();

async function begin() {
  try {
    await learn(memory);
  } catch {
    return failed("No hay conexión con el asistente. · The assistant cannot be reached.", "↻");
  }
  document.documentElement.lang = language;
  delete document.documentElement.dataset.loading;
  await enter();
}

async function enter() {
  try {
    const { me } = await get("me");
    new App(me, memory);
  } catch (refusal) {
    if (refusal.status !== 401) return failed(inWords(refusal), words.try_again);
    new App(await signIn({ oidc: refusal.body.oidc, why: reasonToSignIn(), memory }), memory);
  }
}

function failed(text, again) {
  delete document.documentElement.dataset.loading;
  const tap = make("button", { type: "button", class: "strong", click: () => location.reload() }, again);
  document.body.replaceChildren(make("main", { class: "door" }, make("div", { class: "sign-in" }, make("h1", {}, "Desk"), make("p", { role: "alert" }, text), tap)));
}

begin();

// The demo's sign-in: be one of its made-up customers. A real shop has its own sign-in; its server gives the page the same kind of token.

import { signIn, signOut } from "./assistant.js";
import { announce, closing, fill, make } from "./make.js";
import { be, customer, people, say } from "./shop.js";

const SIGN_IN = "/webhooks/demo_shop/sign-in";
const dialog = document.getElementById("sign-in");
const button = document.getElementById("account");
const name = document.getElementById("account-name");

/** changed: called when somebody else is signed in, or nobody. */
export function begin(changed) {
  button.addEventListener("click", () => { list(changed); dialog.showModal(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

export function draw() {
  const who = customer();
  name.textContent = who ? firstName(who) : say("sign_in");
  button.setAttribute("aria-label", who ? say("signed_in", { name: firstName(who) }) : say("sign_in"));
}

function list(changed) {
  fill(dialog,
    closing(dialog, say("close")),
    make("h2", { id: "sign-in-title" }, say("sign_in_as")),
    make("p", { class: "quiet" }, say("sign_in_why")),
    make("ul", { class: "people" }, ...people().map((each) => make("li", {}, choice(each, changed)))),
    customer() ? make("button", { type: "button", class: "quiet wide", onclick: () => leave(changed) }, say("sign_out")) : null);
}

function choice(each, changed) {
  const country = new Intl.DisplayNames([say("locale")], { type: "region" }).of(each.country);
  return make("button", { type: "button", class: "person", "aria-pressed": String(each === customer()), onclick: () => become(each, changed) },
    make("span", { class: "face", "aria-hidden": "true" }, each.name[0]),
    make("span", {}, make("strong", {}, each.name), make("span", { class: "quiet" }, `${country} · ${each.currency}`)));
}

async function become(who, changed) {
  dialog.close();
  const jwt = await tokenFor(who);
  if (jwt === null) return announce(say("sign_in_failed"));
  be(who.key);
  changed();
  await signIn(jwt);
}

async function leave(changed) {
  dialog.close();
  be(null);
  changed();
  await signOut();
}

/** null: the shop does not sign anybody in. */
async function tokenFor(who) {
  try {
    const answer = await fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ person: who.key }) });
    return answer.ok ? (await answer.json()).jwt : null;
  } catch {
    return null;
  }
}

function firstName(who) {
  return who.name.split(" ")[0];
}

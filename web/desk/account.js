// The agent's own page: password, where they are signed in, and what this browser does.

import { allow, isAllowed } from "../widget/attention.js";
import { button, make } from "../widget/dom.js";
import { ask, get, inWords, post } from "./api.js";
import { field } from "./dialog.js";
import { dateTime } from "./formats.js";
import { languageSwitch } from "./settings.js";
import { toast } from "./toasts.js";
import { named, words } from "./words.js";

export function accountPage({ memory, keys, signedOut }) {
  const sessions = make("div", {}, make("p", {}, words.loading));
  const page = [
    part(words.this_browser, switches(memory, keys), languageSwitch(memory)),
    part(words.change_password, passwordForm()),
    part(words.sessions, sessions),
  ];
  showSessions(sessions, signedOut);
  return page;
}

export function part(title, ...inside) {
  return make("section", { class: "part" }, make("h3", {}, title), inside.flat());
}

function switches(memory, keys) {
  const fault = make("p", { class: "fault", role: "alert" });
  const flip = (key) => async ({ target }) => {
    fault.textContent = "";
    if (await allow(memory, key, target.checked)) return;
    target.checked = false;
    fault.textContent = words.notifications_blocked;
  };
  const tick = (title, isOn, change) => make("label", { class: "tick" }, make("input", { type: "checkbox", checked: isOn, change }), title);
  return [
    tick(words.sound, isAllowed(memory, "sound"), flip("sound")),
    tick(words.notifications, isAllowed(memory, "notifications"), flip("notifications")),
    tick(words.keys_on, keys.areOn, ({ target }) => (keys.areOn = target.checked)),
    fault,
  ];
}

function passwordForm() {
  const old = field({ name: "old", label: words.password_old, type: "password", required: true, autocomplete: "current-password" });
  const fresh = field({ name: "new", label: words.password_new, type: "password", required: true, autocomplete: "new-password", hint: words.password_hint });
  const fault = make("p", { class: "fault", role: "alert" });
  const submitted = async (event) => {
    event.preventDefault();
    if (![old, fresh].map((one) => one.check()).every(Boolean)) return;
    fault.textContent = "";
    try {
      await post("me/password", { old: old.input.value, new: fresh.input.value });
      event.target.reset();
      toast(words.password_changed, { kind: "good" });
    } catch (refusal) {
      fault.textContent = inWords(refusal);
    }
  };
  return make("form", { class: "stack", novalidate: true, submit: submitted }, old.element, fresh.element, fault, button({ class: "strong", type: "submit" }, words.change_password));
}

async function showSessions(box, signedOut) {
  try {
    const { sessions } = await get("me/sessions");
    box.replaceChildren(make("ul", { class: "lines", role: "list" }, sessions.map((one) => sessionLine(one, box, signedOut))));
  } catch (refusal) {
    box.replaceChildren(make("p", { class: "fault", role: "alert" }, inWords(refusal)));
  }
}

function sessionLine({ id, via, browser, created_at, seen_at, is_this }, box, signedOut) {
  const end = async () => {
    try {
      await ask("DELETE", `me/sessions/${id}`);
      if (is_this) return signedOut();
      await showSessions(box, signedOut);
    } catch (refusal) {
      toast(inWords(refusal), { isUrgent: true, kind: "bad" });
    }
  };
  const facts = [named("via", via), `${words.session_since} ${dateTime(created_at)}`, `${words.session_seen} ${dateTime(seen_at)}`];
  return make(
    "li",
    {},
    make("div", { class: "who" }, make("p", { dir: "auto" }, browser || words.unknown_browser, is_this ? make("span", { class: "tag" }, words.this_one) : null), make("p", { class: "hint" }, facts.join(" · "))),
    button({ class: "soft", click: end }, is_this ? words.sign_out : words.end_session),
  );
}

// The page for who is not signed in.

import { button, make } from "../widget/dom.js";
import { inWords, post, V1 } from "./api.js";
import { field } from "./dialog.js";
import { languageSwitch } from "./settings.js";
import { named, say, words } from "./words.js";

/** `why`: a word about how they came here, or empty. Resolves with `me` once somebody has signed in. */
export function signIn({ oidc, why, memory }) {
  return new Promise((resolve) => {
    const name = field({ name: "name", label: words.sign_in_name, type: "text", required: true, autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
    const password = field({ name: "password", label: words.password, type: "password", required: true, autocomplete: "current-password" });
    const fault = make("p", { class: "fault", role: "alert" }, why);
    const go = button({ class: "strong", type: "submit" }, words.sign_in);
    const submitted = async (event) => {
      event.preventDefault();
      const wrong = [name, password].filter((one) => !one.check());
      if (wrong.length) return wrong[0].input.focus();
      go.disabled = true;
      fault.textContent = "";
      try {
        const { me } = await post("sign-in", { name: name.read(), password: password.input.value });
        page.remove();
        resolve(me);
      } catch (refusal) {
        fault.textContent = inWords(refusal);
        password.input.value = "";
        (refusal.code === "wrong" ? password.input : go).focus();
      }
      go.disabled = false;
    };
    const elsewhere = oidc ? make("a", { class: "soft wide-button", href: `${V1}oidc/start` }, say("sign_in_with", { name: oidc.name })) : null;
    const form = make("form", { class: "sign-in", novalidate: true, submit: submitted }, make("h1", {}, words.title), make("p", { class: "lead" }, words.sign_in_lead), name.element, password.element, fault, go, elsewhere);
    const page = make("main", { class: "door" }, form, languageSwitch(memory));
    document.title = `${words.sign_in} · ${words.title}`;
    document.body.append(page);
    name.input.focus();
  });
}

/** What the address, or the page before, says about how they came here. */
export function reasonToSignIn() {
  const refused = new URLSearchParams(location.search).get("sign_in");
  if (refused) history.replaceState(null, "", location.pathname + location.hash);
  return refused ? named("oidc", refused) : leftBecause();
}

const LEFT = "tendero.desk.left";

function leftBecause() {
  try {
    const why = sessionStorage.getItem(LEFT);
    sessionStorage.removeItem(LEFT);
    return why ? named("left", why) : "";
  } catch {
    return "";
  }
}

/** Back to the sign-in page. Nothing of what was shown stays. */
export function leave(why) {
  try {
    sessionStorage.setItem(LEFT, why);
  } catch {
    // Then without a word.
  }
  location.reload();
}

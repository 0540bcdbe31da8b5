// What somebody saw or did, newest first.

import { button, make } from "../widget/dom.js";
import { get, inWords, query } from "./api.js";
import { dateTime, shown } from "./formats.js";
import { hashOf } from "./places.js";
import { language, named, titled, words } from "./words.js";

const ACTION = "action_"; // words for what was done

export function auditPage(desk) {
  const rows = make("tbody", {});
  const fault = make("p", { class: "fault", role: "alert" });
  const more = button({ class: "soft", hidden: true, click: () => load(true) }, words.more_results);
  const people = make("select", { name: "agent" }, make("option", { value: "" }, words.any), desk.agents.map(({ name }) => make("option", { value: name }, name)));
  const handoff = make("input", { name: "handoff", inputmode: "numeric", size: "8" });
  const known = Object.keys(words).filter((key) => key.startsWith(ACTION)).map((key) => key.slice(ACTION.length));
  const actions = known.map((value) => [value, named("action", value)]).sort(([, one], [, other]) => one.localeCompare(other));
  const action = make("select", { name: "action" }, make("option", { value: "" }, words.any), actions.map(([value, title]) => make("option", { value }, title)));
  let last = null;
  const load = async (isMore = false) => {
    fault.textContent = "";
    try {
      const wanted = { agent: people.value, handoff: handoff.value.trim(), action: action.value, before: isMore ? last : "", language };
      const { entries, has_more, titles = {} } = await get(query("audit", wanted));
      const lines = entries.map((entry) => line(entry, desk, titles));
      if (isMore) rows.append(...lines);
      else rows.replaceChildren(...lines);
      last = entries.at(-1)?.id ?? last;
      more.hidden = !has_more;
      if (!rows.childElementCount) fault.textContent = words.nothing_found;
    } catch (refusal) {
      fault.textContent = inWords(refusal);
    }
  };
  const labelled = (title, input) => make("label", {}, make("span", {}, title), input);
  const submitted = (event) => (event.preventDefault(), load());
  const form = make("form", { class: "audit-search", submit: submitted }, labelled(words.agent, people), labelled(words.conversation_number, handoff), labelled(words.action, action), button({ class: "strong", type: "submit" }, words.show));
  const heads = [words.when, words.agent, words.action, words.conversation_number, words.details];
  const head = make("tr", {}, heads.map((title) => make("th", { scope: "col" }, title)));
  load();
  return [form, fault, make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": words.audit }, make("table", {}, make("thead", {}, head), rows)), more];
}

function line({ at, agent, action, handoff, details }, desk, titles) {
  const address = handoff ? make("a", { href: hashOf({ view: "all", handoff }) }, `#${handoff}`) : "";
  const facts = Object.entries(readable(details ?? {}, desk, titles)).map(([name, value]) => `${named("field", name)}: ${shown(value)}`);
  return make("tr", {}, make("td", {}, dateTime(at)), make("td", { dir: "auto" }, agent || "–"), make("td", {}, named("action", action)), make("td", {}, address), make("td", { class: "details", dir: "auto" }, facts.join(" · ")));
}

/** Names by what they are called, and an amount as money. `titles`: those that the server has words for, by fact. */
function readable({ amount_minor: minor, currency, ...rest }, desk, titles) {
  const title = (fact, kind) => (name) => titles[fact]?.[name] ?? named(kind, name);
  const called = {
    kind: (name) => titled(desk.acts, name),
    rule: title("rule", "rule"),
    reason: (name) => titled(desk.reasons, name),
    topic: (name) => desk.topicName(name),
    queue: (name) => titled(desk.queues, name),
    exception: title("exception", "exception"),
    exceptions: (names) => names.map(title("exceptions", "exception")),
  };
  const facts = Object.entries(rest).map(([name, value]) => [name, Object.hasOwn(called, name) ? called[name](value) : value]);
  return { ...Object.fromEntries(facts), ...(minor !== undefined && currency ? { amount: { minor, currency } } : {}) };
}

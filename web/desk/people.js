// Who works here: for those who manage people.

import { button, make } from "../widget/dom.js";
import { ask, get, inWords } from "./api.js";
import { field, opened } from "./dialog.js";
import { languageName, listed, number } from "./formats.js";
import { presence } from "./moves.js";
import { toast } from "./toasts.js";
import { LANGUAGES, named, say, titled, words } from "./words.js";

const ROLES = ["agent", "supervisor", "admin"];

export function peoplePage(desk) {
  const box = make("div", {}, make("p", {}, words.loading));
  const show = async () => {
    try {
      const found = await get("agents?all=1");
      box.replaceChildren(table(found.agents ?? found, desk, show));
    } catch (refusal) {
      box.replaceChildren(make("p", { class: "fault", role: "alert" }, inWords(refusal)));
    }
  };
  show();
  return [button({ class: "strong", click: () => edit(null, desk, show) }, words.add_person), box];
}

function table(agents, desk, show) {
  const heads = [words.name, words.role, words.field_languages, words.field_queues, words.workload, words.field_status];
  const line = (agent) =>
    make(
      "tr",
      { class: agent.is_active === false ? "inactive" : null },
      make("th", { scope: "row", dir: "auto" }, agent.name),
      make("td", {}, named("role", agent.role)),
      limits(agent.languages, agent.gone?.languages, languageName, "gone_languages"),
      limits(agent.queues, agent.gone?.queues, (queue) => titled(desk.queues, queue), "gone_queues"),
      make("td", {}, say("load", { load: number(agent.load ?? 0), capacity: number(agent.capacity) })),
      make("td", {}, agent.is_active === false ? words.inactive : presence(agent)),
      make("td", {}, button({ class: "soft", "aria-label": say("change_person", { name: agent.name }), click: () => edit(agent, desk, show) }, words.change)),
    );
  const head = make("tr", {}, heads.map((title) => make("th", { scope: "col" }, title)), make("td", {}));
  return make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": words.people }, make("table", {}, make("thead", {}, head), make("tbody", {}, agents.map(line))));
}

/** To what somebody is limited, and which of that the shop does not have (any more). `ifAll`: words for what happens when it is all of it. */
function limits(all = [], gone = [], title, ifAll) {
  const there = all.filter((name) => !gone.includes(name)).map(title);
  const warning = gone.length ? make("p", { class: "fault" }, say(there.length ? "gone_some" : ifAll, { names: listed(gone.map(title)) })) : null;
  return make("td", {}, there.length ? listed(there) : all.length ? null : words.every_one, warning);
}

function edit(agent, desk, show) {
  const known = agent ?? { role: "agent", languages: [], queues: [], capacity: 4, is_active: true };
  const ticks = (name, all, chosen, title) => all.map((value) => field({ name: `${name} ${value}`, label: title(value), type: "check", value: chosen.includes(value) }));
  const languages = ticks("language", LANGUAGES, known.languages ?? [], languageName);
  const queues = ticks("queue", desk.queues.map(({ name }) => name), known.queues ?? [], (name) => titled(desk.queues, name));
  const fields = [
    field({ name: "name", label: words.name, type: "text", required: true, value: known.name, hint: words.person_name_hint, readonly: agent !== null }),
    field({ name: "sign_in_name", label: words.sign_in_name, type: "text", required: agent === null, value: known.sign_in_name }),
    field({ name: "role", label: words.role, type: "choice", required: true, value: known.role, choices: ROLES.map((value) => ({ value, title: named("role", value) })) }),
    field({ name: "capacity", label: words.field_capacity, type: "number", required: true, value: String(known.capacity), min: "0", max: "100", step: "1" }),
    field({ name: "password", label: agent ? words.password_new : words.password, type: "password", autocomplete: "new-password", hint: words.person_password_hint }),
    ...(agent ? [field({ name: "is_active", label: words.active, type: "check", value: known.is_active !== false })] : []),
  ];
  const group = (title, all) => make("fieldset", { class: "ticks" }, make("legend", {}, title), make("p", { class: "hint" }, words.none_is_every), all.map((one) => one.element));
  const below = [group(words.field_languages, languages), group(words.field_queues, queues)];
  const title = agent ? say("change_person", { name: agent.name }) : words.add_person;
  return opened({ title, fields, below, yes: words.save, wide: true }, async (values) => {
    const chosen = (all) => all.filter((one) => one.read()).map((one) => one.name.split(" ")[1]);
    const told = { ...values, capacity: Number(values.capacity), languages: chosen(languages), queues: chosen(queues) };
    for (const key of ["password", "sign_in_name"]) if (!told[key] || told[key] === known[key]) delete told[key];
    if (agent) delete told.name;
    await ask(agent ? "PATCH" : "POST", agent ? `agents/${encodeURIComponent(agent.name)}` : "agents", told);
    toast(words.saved, { kind: "good" });
    show();
  });
}

// What an agent may do for the shopper: parameters, a summary of what would happen, "yes", and a way back where there is one.

import { button, make } from "../widget/dom.js";
import { inWords, post, query, Refusal } from "./api.js";
import { marked } from "./canned.js";
import { field, opened } from "./dialog.js";
import { fractionDigits, shown } from "./formats.js";
import { toast } from "./toasts.js";
import { language, named, say, words } from "./words.js";

const LONG = ["long_text", "note", "reason", "text_long"];

/** A button for an act; where it is not allowed, why not, unless that is said elsewhere. */
export function actButton(act, desk, isSaid = false) {
  if (act.is_allowed) return button({ class: "soft act", click: () => begin(act, desk) }, act.title);
  const off = button({ class: "soft act", disabled: true }, act.title);
  return isSaid ? off : make("div", { class: "act-refused" }, off, make("p", { class: "hint" }, whyNot(act)));
}

/** In words. */
export function whyNot({ why_not: why = "" }) {
  return why.rule ? inWords(new Refusal(422, { error: "refused", ...why })) : named("why_not", why);
}

function begin(act, desk) {
  const { id } = desk.open;
  const fields = (act.parameters ?? []).map(parameterField);
  const propose = async (values) => {
    const told = Object.fromEntries(act.parameters?.map((each) => [each.name, asParameter(each, values[each.name])]) ?? []);
    return post(query(`handoffs/${id}/acts/${act.kind}/propose`, { language }), withoutNothing(told));
  };
  if (!fields.length) return proposeAtOnce(act, desk, id, propose);
  const text = act.limit ? say("act_limit", { limit: shown(act.limit) }) : undefined;
  return opened({ title: act.title, text, fields, yes: words.preview }, async (values, box) => {
    const proposal = await propose(values);
    box.close();
    preview(act, desk, id, proposal);
  });
}

async function proposeAtOnce(act, desk, id, propose) {
  try {
    preview(act, desk, id, await propose({}));
  } catch (refusal) {
    toast(inWords(refusal), { isUrgent: true, kind: "bad" });
  }
}

/** What would happen, before it does. */
export function preview(act, desk, id, proposal, isChanged = false) {
  const inside = [
    isChanged ? make("p", { class: "warning", role: "alert" }, words.stale) : null,
    summaryList(proposal.summary ?? []),
    proposal.warning ? make("p", { class: "warning" }, proposal.warning) : null,
  ].filter(Boolean);
  return opened({ title: act.title, text: words.preview_lead, inside, yes: words.confirm, isGrave: true }, async (_values, box) => {
    try {
      const { done, undo } = await post(query(`handoffs/${id}/acts/${act.kind}/confirm`, { language }), { proposal: proposal.proposal });
      tellDone(act, desk, id, { undo, suggested: done?.suggested });
    } catch (refusal) {
      if (refusal.code !== "stale" || !refusal.body.proposal) throw refusal;
      box.close();
      const fresh = typeof refusal.body.proposal === "object" && refusal.body.proposal.summary ? refusal.body.proposal : refusal.body;
      queueMicrotask(() => preview(act, desk, id, fresh, true));
    }
  });
}

export function summaryList(summary) {
  return make("dl", { class: "summary" }, summary.flatMap(({ label, value }) => [make("dt", {}, label), make("dd", { dir: "auto" }, shown(value))]));
}

/** The shopper is told by the agent: with a reply that fits, if they like. */
function tellDone(act, desk, id, { undo, suggested }) {
  if (desk.open?.id === id) desk.reload();
  const offer = [
    suggested ? { title: words.suggested_use, stays: Boolean(undo), act: () => desk.tell("suggested", { handoff: id, text: suggested.text }) } : null,
    undo ? { title: words.undo, act: () => takeBack(act, desk, id, undo) } : null,
  ];
  const reply = suggested ? [make("p", { class: "hint" }, words.suggested_lead), make("blockquote", { dir: "auto" }, marked(suggested.text))] : null;
  toast(say("act_done", { act: act.title }), { offer, inside: reply, kind: "good" });
}

function takeBack(act, desk, id, undo) {
  const title = undo.title ?? say("undo_act", { act: act.title });
  const inside = [summaryList(undo.summary ?? []), undo.warning ? make("p", { class: "warning" }, undo.warning) : null].filter(Boolean);
  return opened({ title, text: words.undo_lead, inside, yes: words.undo, isGrave: true }, async () => {
    await post(query(`handoffs/${id}/acts/undo`, { language }), { effect: undo.effect ?? undo.proposal ?? undo });
    if (desk.open?.id === id) desk.reload();
    toast(say("act_undone", { act: act.title }), { kind: "good" });
  });
}

function parameterField({ name, title, type, choices, required, hint, value, currency }) {
  const label = title ?? named("field", name);
  const common = { name, label, required, hint: hint ?? (currency ? say("amount_in", { currency }) : undefined), value };
  if (type === "choices") return field({ ...common, type: "many", choices: (choices ?? []).map(asChoice) });
  if (choices?.length) return field({ ...common, type: "choice", choices: choices.map(asChoice) });
  const kind = { boolean: "check", money: "number", number: "number", integer: "number", int: "number", date: "date" }[type];
  return field({ ...common, type: kind ?? (LONG.includes(type) || LONG.includes(name) ? "long" : "text") });
}

function asChoice(choice) {
  return typeof choice === "object" ? { value: String(choice.value ?? choice.name), title: choice.title ?? choice.name } : { value: String(choice), title: named("choice", choice) };
}

function asParameter({ type, choices, currency }, value) {
  if (value === "" || value === undefined || type === "choices") return value || undefined;
  if (choices?.length) return choices.map((each) => (typeof each === "object" ? (each.value ?? each.name) : each)).find((each) => String(each) === value);
  if (type === "money") return { minor: Math.round(Number(value) * 10 ** fractionDigits(currency ?? "USD")), currency };
  return ["number", "integer", "int"].includes(type) ? Number(value) : value;
}

function withoutNothing(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

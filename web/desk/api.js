// The desk's routes (docs/desk-protocol.md). What is refused comes as a Refusal, with its code and what belongs to it.

import { uploadTo } from "../widget/upload.js";
import { hear } from "./clock.js";
import { listed, period, shown } from "./formats.js";
import { named, say, words } from "./words.js";

export const V1 = "/webhooks/desk/v1/";
const OURS = { "X-Tendero-Desk": "1" };
const PATIENCE = 30_000; // milliseconds
const LATER = ["offline", "busy", "too_many", "signed_out"]; // the same again may be taken

export class Refusal extends Error {
  /** `status`: 0 where no answer came. `body`: {error, ...}. */
  constructor(status, body) {
    super(body.error);
    this.status = status;
    this.code = body.error;
    this.body = body;
  }

  get isForNow() {
    return LATER.includes(this.code);
  }
}

/** What the server answers. Rejects with a Refusal. */
export async function ask(method, path, body) {
  const headers = body === undefined ? OURS : { ...OURS, "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(PATIENCE);
  const given = { method, headers, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await fetch(V1 + path, given);
  } catch {
    throw new Refusal(0, { error: "offline" });
  }
  hear(response.headers.get("Date"));
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(response.status, { ...answer, error: answer.error ?? (response.status >= 500 ? "busy" : "bad_request") });
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);

/** `values` that are empty are left out. */
export function query(path, values) {
  const wanted = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return wanted.length ? `${path}?${new URLSearchParams(wanted)}` : path;
}

/** Sends a file of a conversation, see uploadTo. */
export function sendFile(handoff, file, onProgress, signal) {
  const address = query(`${V1}handoffs/${handoff}/files`, { name: file.name });
  return uploadTo(address, OURS, { patience: PATIENCE, file, onProgress, signal });
}

/** A refusal in words. */
export function inWords(refusal) {
  if (!(refusal instanceof Refusal)) {
    console.error(refusal);
    return words.error_unknown;
  }
  const { code, body } = refusal;
  if (code === "refused") return ruleInWords(body);
  if (code === "stale" && body.newest) return words.error_unread;
  if (code === "stale" && body.rule) return `${words.error_stale} ${ruleInWords(body)}`;
  if (code === "too_many") return say("error_too_many", { period: period((body.after ?? 60) * 1000) });
  if (code === "forbidden") return say("error_forbidden", { needs: named("permission", body.needs ?? "") });
  if (code === "bad_request" && body.known) return say("error_unknown_name", { field: named("field", body.field), known: listed(body.known) });
  if (code === "bad_request" && body.field) return say("error_field", { field: named("field", body.field) });
  const values = { by: body.by ?? "", most: body.most ?? "" };
  return words[`error_${code}`] ? say(`error_${code}`, values) : words.error_unknown;
}

/** What a policy does not allow: in its own words where it has some, and with who may. */
function ruleInWords({ rule, title, text, values = {} }) {
  const said = text ?? title ?? words[`rule_${rule}`] ?? say("error_refused", { rule: named("rule", rule) });
  const limit = values.limit ?? values.limit_text;
  const lines = [asSentence(said), limit && say("refused_limit", { limit: shown(limit) })];
  if (values.who_may) lines.push(values.who_may);
  else if (values.nearest) lines.push(say("refused_nearest", { who: named("nearest", values.nearest) }));
  return lines.filter(Boolean).join(" ");
}

function asSentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

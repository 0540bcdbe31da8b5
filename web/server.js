// The two routes of the web chat channel.

import { keepToken, memory } from "./memory.js";

const ROUTES = "/webhooks/webchat";
const PATIENCE = 90_000; // milliseconds; a turn may wait for a slow shop system

let underWay = new AbortController();

/**
 * Says one thing to the assistant. The same id again is the same message: it is answered once, with the same replies.
 * Returns {replies: [...]}, or {problem: "failed" | "unanswered" | "tooLong", longest} where there are none.
 */
export async function say(id, text, language) {
  try {
    const answer = await sayAs(await token(), id, text, language);
    return await outcome(answer.status === 401 ? await sayAs(await newToken(), id, text, language) : answer);
  } catch (error) {
    return { problem: error.name === "TimeoutError" ? "unanswered" : "failed" };
  }
}

/** Stops waiting for what is under way: nobody will read the reply. */
export function hangUp() {
  underWay.abort();
}

async function outcome(answer) {
  if (answer.status === 400) return { problem: "tooLong", longest: (await answer.json().catch(() => ({}))).longest };
  if (answer.status === 504) return { problem: "unanswered" }; // it got there
  if (!answer.ok) return { problem: "failed" };
  const replies = await answer.json().catch(() => null);
  return Array.isArray(replies) ? { replies } : { problem: "unanswered" };
}

function sayAs(visitor, id, message, language) {
  return post("webhook", { token: visitor, id, message, language });
}

async function token() {
  return memory.token ?? newToken();
}

async function newToken() {
  const answer = await post("session", {});
  if (!answer.ok) throw new Error(`no session: ${answer.status}`);
  const { token } = await answer.json();
  keepToken(token);
  return token;
}

async function post(route, body) {
  underWay = new AbortController();
  const timer = setTimeout((request) => request.abort(new DOMException(route, "TimeoutError")), PATIENCE, underWay);
  try {
    return await fetch(`${ROUTES}/${route}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: underWay.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

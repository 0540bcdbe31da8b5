// The review's page. What shoppers wrote is only ever set as text.

const byId = id => document.getElementById(id);
const [rows, status, problems] = ["rows", "status", "problems"].map(byId);
const KEY = "review-key";

let state = { rows: [] };
let open = null; // the id of the row that is shown in full
let isBusy = false;

// --- The server ---

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
  const sent = body ? { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) } : { headers };
  const answer = await fetch(path, sent).catch(() => null);
  if (!answer) throw new Error("The review has ended: start `tendero review --page` again.");
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

/** The token behind the # opens once: it is traded in for a key that stays in this tab. */
async function enter() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", "/");
  const { key } = await ask("/session", { token });
  sessionStorage.setItem(KEY, key);
}

async function act(path, body, meanwhile = "") {
  if (isBusy) return;
  isBusy = true;
  tell(meanwhile);
  byId("train").disabled = true;
  const place = state.rows.findIndex(row => row.id === open);
  try {
    const before = new Set(state.rows.map(row => row.id));
    state = await ask(path, body);
    const back = path === "/api/undo" && state.rows.find(row => !before.has(row.id));
    const stays = state.rows.some(row => row.id === open);
    if (back) open = back.id;
    else if (!stays) open = (state.rows[place] ?? state.rows.at(-1))?.id ?? null;
    show();
    tell(state.told);
    if (back || !stays) head(open)?.focus();
  } catch (error) {
    tell(error.message, true);
  } finally {
    isBusy = false;
    byId("train").disabled = false;
  }
}

function tell(text, isWrong = false) {
  status.textContent = text;
  status.classList.toggle("wrong", isWrong);
}

// --- What is shown ---

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const head = id => rows.querySelector(`[data-id="${id}"] .head`);
const percent = share => (share === null ? "" : `${Math.round(share * 100)}%`);

function show() {
  byId("counts").textContent = `${state.left} left · ${state.assigned} assigned`;
  byId("undo").disabled = !state.can_undo;
  byId("nothing").hidden = state.rows.length > 0;
  byId("keys").hidden = rows.hidden = state.rows.length === 0;
  byId("places").replaceChildren(...state.places.map(value => make("option", { value })));
  problems.hidden = state.problems.length === 0;
  problems.replaceChildren(...state.problems.map(text => make("li", {}, text)));
  rows.replaceChildren(...state.rows.map(rowOf));
  if (open) fill(open);
}

function rowOf(row) {
  const isOpen = row.id === open;
  const often = row.count > 1 ? `${row.count}×` : "once";
  const facts = [row.language, often, ...row.reasons, row.newest.slice(0, 10)].join(" · ");
  const top = make("button", { type: "button", className: "head", onclick: () => choose(isOpen ? null : row.id) },
    make("span", { className: "said" }, row.text), make("span", { className: "facts" }, facts));
  top.setAttribute("aria-expanded", isOpen);
  const item = make("li", { className: isOpen ? "row open" : "row" }, top);
  item.dataset.id = row.id;
  if (isOpen) item.append(bodyOf(row));
  return item;
}

function bodyOf(row) {
  const lines = row.before.map(({ by, text }) => make("div", {}, make("dt", {}, by), make("dd", {}, text)));
  const text = make("textarea", { id: "text", rows: 1, value: row.text, spellcheck: false });
  const language = make("select", { id: "language" }, ...state.languages.map(each => new Option(each, each, false, each === row.language)));
  const named = make("input", { id: "place", placeholder: "Another intent", autocomplete: "off", ariaLabel: "Another intent" });
  named.setAttribute("list", "places");
  const form = make("form", {}, named, make("button", {}, "Assign"));
  form.onsubmit = event => (event.preventDefault(), named.value.trim() && assign(named.value.trim()));
  return make("div", { className: "body" },
    ...(lines.length ? [make("dl", { className: "before" }, ...lines)] : []),
    make("div", { className: "edit" },
      make("label", { htmlFor: "text" }, "Example to write"), make("label", { htmlFor: "language" }, "Language"), text, language),
    make("ol", { className: "suggestions", ariaLabel: "Suggested intents" }),
    make("div", { className: "other" }, form,
      make("button", { type: "button", onclick: notOurs }, "Not ours ", make("kbd", {}, "n")),
      make("button", { type: "button", onclick: skip }, "Skip ", make("kbd", {}, "s"))));
}

async function fill(id) {
  try {
    const row = state.rows.find(each => each.id === id);
    row.suggestions ??= (await ask(`/api/suggestions?id=${id}`)).suggestions;
    const list = rows.querySelector(`[data-id="${id}"] .suggestions`);
    list?.replaceChildren(...row.suggestions.map(suggestionOf));
  } catch (error) {
    tell(error.message, true);
  }
}

function suggestionOf({ place, probability, example }, index) {
  const like = example ? `like “${example}”` : "";
  const likely = make("span", { className: "likely", title: "How likely the assistant found it" }, percent(probability));
  return make("li", {}, make("button", { type: "button", onclick: () => assign(place) },
    make("kbd", {}, String(index + 1)), make("span", { className: "place" }, place), make("span", { className: "like" }, like), likely));
}

// --- What can be done ---

function choose(id) {
  open = id;
  show();
  head(id)?.focus();
  head(id)?.scrollIntoView({ block: "nearest" });
}

const assign = place => open && act("/api/assign", { id: open, place, text: byId("text").value, language: byId("language").value });
const notOurs = () => assign(state.not_ours);
const skip = () => open && act("/api/skip", { id: open });
const undo = () => state.can_undo && act("/api/undo", {});
const train = () => act("/api/train", {}, "Checking and training: this takes about a minute …");

function move(by) {
  const place = state.rows.findIndex(row => row.id === open);
  const next = state.rows[place < 0 ? 0 : place + by];
  if (next) choose(next.id);
}

const KEYS = {
  j: () => move(1), k: () => move(-1), n: notOurs, s: skip, u: undo, t: train,
  e: () => byId("text")?.focus(), "/": () => byId("place")?.focus(),
};

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches("input, textarea, select");
  if (event.key === "Escape" && isTyping) return head(open)?.focus();
  if (isTyping) return;
  const suggested = rows.querySelectorAll(".open .suggestions button")[event.key - 1];
  const wanted = suggested ? () => suggested.click() : KEYS[event.key];
  if (!wanted) return;
  event.preventDefault();
  wanted();
});

byId("undo").onclick = undo;
byId("train").onclick = train;

try {
  await enter();
  state = await ask("/api/rows");
  open = state.rows[0]?.id ?? null;
  show();
} catch (error) {
  tell(error.message, true);
}

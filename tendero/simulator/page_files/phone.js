// The page: one chat at a time, drawn from the simulator's state.

import { bubble, button, make, mark } from "./bubbles.js";
import { asFile, ask, follow, shopper } from "./wire.js";

const byId = (id) => document.getElementById(id);
const KEY = "simulator-shopper";
const NEAR = 80; // pixels from the end: then new messages are scrolled to
const SUN = { latitude: 40.4169, longitude: -3.7035, name: "Puerta del Sol", address: "Madrid" };
const KINDS = { image: ["image/jpeg", "image/png"], video: ["video/"], audio: ["audio/"] };

let chosen = sessionStorage.getItem(KEY) ?? "";
let state = null;
let detailed = null; // the id of the message in the inspector
const drawn = new Map(); // id: {content, fate, element}

// --- What is shown ---

function show(news) {
  state = news;
  if (!person() && state.shoppers.length) return choose(state.shoppers[0].key);
  const connected = state.is_verified ? "" : " · the shop does not answer yet";
  byId("business").textContent = state.business.name;
  byId("presence").textContent = person()?.shop_types ? "typing …" : `simulated${connected}`;
  byId("typing").hidden = !person()?.shop_types;
  byId("writing-as").textContent = person() ? nameOf(person()) : "nobody";
  byId("window").textContent = person()?.is_open ? "" : "Until you write, the shop may only send templates.";
  byId("shoppers").replaceChildren(...state.shoppers.map(personOf));
  showMessages();
  showInspector();
  if (person()?.unread && document.visibilityState === "visible") act(shopper(chosen, "/read"), {});
}

const person = () => state?.shoppers.find((each) => each.key === chosen);
const nameOf = (each) => `${each.name} (${each.shows_phone ? each.phone : `@${each.username ?? each.user_id}`})`;

function personOf(each) {
  const newest = each.newest ? (each.newest.text || each.newest.label || each.newest.media?.kind || "…") : "No messages yet";
  const row = button("", () => choose(each.key));
  row.append(make("b", {}, each.name), make("small", {}, each.shows_phone ? each.phone : `@${each.username}`), make("span", {}, newest));
  if (each.unread && each.key !== chosen) row.append(make("em", { ariaLabel: `${each.unread} unread` }, String(each.unread)));
  if (each.key === chosen) row.setAttribute("aria-current", "true");
  return make("li", {}, row);
}

function showMessages() {
  const log = byId("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  const rows = state.entries.map(rowOf);
  const messages = byId("messages");
  rows.forEach((row, place) => {
    if (messages.children[place] !== row) messages.insertBefore(row, messages.children[place] ?? null);
  });
  while (messages.children.length > rows.length) messages.lastChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

/** The element of a message: as it was where nothing has changed. */
function rowOf(entry) {
  const content = JSON.stringify([entry.shown, entry.is_revoked]);
  const fate = JSON.stringify([entry.statuses, entry.reactions, entry.error, entry.remarks]);
  const before = drawn.get(entry.id);
  if (before?.content !== content) {
    drawn.set(entry.id, { content, fate, element: bubble(entry, { tap, list: openRows, details: inspect }) });
  } else if (before.fate !== fate) {
    before.fate = fate;
    mark(before.element, entry);
  }
  return drawn.get(entry.id).element;
}

function showInspector() {
  const { delivery, counts, refused } = state;
  const facts = {
    "Webhook": `${state.webhook} (${state.is_verified ? "verified" : "no answer yet"})`,
    "Webhooks taken": `${delivery.delivered} of ${delivery.delivered + delivery.under_way + delivery.given_up}`,
    "Median answer": delivery.milliseconds.median === undefined ? "–" : `${Math.round(delivery.milliseconds.median)} ms`,
    "Sends taken": counts.accepted,
    "Simulated time": new Date(state.now * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }),
  };
  byId("facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  byId("refused-count").textContent = refused.length ? `(${refused.length})` : "";
  byId("none-refused").hidden = refused.length > 0;
  byId("alarm").hidden = refused.length === 0;
  byId("alarm").textContent = String(refused.length);
  if (byId("refused").children.length !== refused.length) {
    byId("refused").replaceChildren(...refused.map(({ error, body }) => make("details", {},
      make("summary", {}, `${error.code} ${error.error_data?.details ?? error.message}`), code({ error, body }))));
  }
  const entry = state.entries.find((each) => each.id === detailed);
  byId("no-raw").hidden = Boolean(entry);
  byId("raw").hidden = !entry;
  if (entry) byId("raw").textContent = JSON.stringify({ statuses: entry.statuses, error: entry.error ?? undefined, wire: entry.wire }, null, 2);
  byId("online").checked = person()?.is_online ?? true;
  byId("marketing").checked = person()?.takes_marketing ?? true;
  byId("expired").checked = state.has_expired;
}

const code = (value) => make("pre", { tabIndex: 0 }, JSON.stringify(value, null, 2));

// --- What can be done ---

async function act(path, body) {
  try {
    tell("");
    return await ask(path, body);
  } catch (error) {
    tell(error.message);
    return null;
  }
}

function tell(text) {
  byId("told").textContent = text;
  byId("told").hidden = !text;
}

const write = (message) => act(shopper(chosen, "/messages"), message);

function choose(key) {
  chosen = key;
  sessionStorage.setItem(KEY, key);
  detailed = null;
  drawn.clear();
  byId("messages").replaceChildren();
  openPeople(false);
  act("state?wait=0&shopper=" + encodeURIComponent(key)).then((news) => {
    if (news && key === chosen) show(news), (byId("log").scrollTop = byId("log").scrollHeight);
  });
}

function tap(entry, { kind, id, title }) {
  if (kind === "location") return write({ type: "location", ...SUN, reply_to: entry.id });
  if (kind === "contact") return write({ type: "contacts", reply_to: entry.id });
  if (kind === "flow") return write({ type: "flow_reply", message_id: entry.id, response: {} });
  return write({ type: "tap", message_id: entry.id, id_tapped: id ?? title });
}

function openRows(entry) {
  const { button: title, sections } = entry.shown.list;
  byId("rows-title").textContent = title;
  byId("row-list").replaceChildren(...sections.map((section) => make("section", {},
    ...(section.title ? [make("h3", {}, section.title)] : []),
    ...section.rows.map((row) => {
      const made = button("", () => (byId("rows").close(), tap(entry, row)));
      made.append(make("b", {}, row.title), ...(row.description ? [make("small", {}, row.description)] : []));
      return made;
    }))));
  byId("rows").showModal();
}

function inspect(entry) {
  detailed = entry.id;
  openInspector(true);
  showInspector();
  byId("raw").focus();
}

function openInspector(isOpen) {
  document.body.classList.toggle("inspecting", isOpen);
  byId("show-inspector").setAttribute("aria-expanded", isOpen);
}

function openPeople(isOpen) {
  document.body.classList.toggle("choosing", isOpen);
  byId("show-people").setAttribute("aria-expanded", isOpen);
}

async function sendFile(file) {
  const kind = Object.keys(KINDS).find((each) => KINDS[each].some((type) => file.type.startsWith(type))) ?? "document";
  await write({ type: kind, file: await asFile(file), voice: false });
}

const ATTACHMENTS = {
  picture: () => byId("file").click(),
  location: () => write({ type: "location", ...SUN }),
  voice: () => write({ type: "audio", voice: true }),
  sticker: () => write({ type: "sticker" }),
  contact: () => write({ type: "contacts" }),
};

async function send() {
  const text = byId("text").value.trim();
  if (!text || !chosen) return;
  byId("text").value = "";
  if (!(await write({ type: "text", text }))) byId("text").value = text;
}

byId("composer").addEventListener("submit", (event) => (event.preventDefault(), send()));
byId("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
byId("attach").addEventListener("click", () => byId("attachments").showModal());
byId("attachments").addEventListener("click", ({ target }) => {
  const act = ATTACHMENTS[target.dataset?.attach];
  if (!act) return;
  byId("attachments").close();
  act();
});
byId("file").addEventListener("change", async ({ target }) => {
  for (const file of target.files) await sendFile(file);
  target.value = "";
});
document.querySelectorAll("[data-close]").forEach((each) => each.addEventListener("click", () => each.closest("dialog").close()));
document.querySelectorAll("dialog").forEach((each) => each.addEventListener("click", ({ target }) => target === each && each.close()));
byId("later").addEventListener("click", async () => {
  if (await act("clock", { advance: 24 * 3600 })) tell("It is 24 hours later. The shop may only send templates until you write again.");
});
byId("show-inspector").addEventListener("click", () => openInspector(!document.body.classList.contains("inspecting")));
byId("hide-inspector").addEventListener("click", () => (openInspector(false), byId("show-inspector").focus()));
byId("show-people").addEventListener("click", () => openPeople(!document.body.classList.contains("choosing")));
byId("online").addEventListener("change", ({ target }) => act(shopper(chosen), { is_online: target.checked }));
byId("marketing").addEventListener("change", ({ target }) => act(shopper(chosen, "/preferences"), { value: target.checked ? "resume" : "stop" }));
byId("expired").addEventListener("change", ({ target }) => act("token", { has_expired: target.checked }));
byId("newcomer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const phone = byId("new-phone").value.trim();
  const added = await act("shoppers", { name: phone, phone });
  if (!added) return;
  byId("new-phone").value = "";
  choose(added.key);
});
document.addEventListener("visibilitychange", () => state && show(state));

follow(() => chosen, show, tell);

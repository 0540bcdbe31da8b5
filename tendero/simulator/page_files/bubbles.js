// Messages as elements. Whatever came from the shop or from a shopper goes in as text, never as markup.

const LINK = /https?:\/\/[^\s<>"'«»“”]+/;
const STYLES = [["```", "code"], ["*", "b"], ["_", "i"], ["~", "s"]];
const TICKS = {
  waiting: ["…", "Waiting for the shop"], sent: ["✓", "Sent"], delivered: ["✓✓", "Delivered"], read: ["✓✓", "Read"], failed: ["!", "Failed"],
};

/** The element of a message; `on` has tap(entry, button), list(entry, place), details(entry). */
export function bubble(entry, on) {
  const box = make("article", { className: `message ${entry.by}` });
  box.dataset.id = entry.id;
  const body = make("div", { className: "bubble" }, make("span", { className: "unseen" }, entry.by === "shop" ? "Shop: " : "You: "));
  if (entry.is_revoked) body.append(make("p", { className: "quiet" }, "This message was deleted."));
  else body.append(...contentOf(entry.shown));
  body.append(footOf(entry, on));
  box.append(body, ...answersOf(entry, on));
  mark(box, entry);
  return box;
}

/** Brings an element in line with what became of its message, leaving text and buttons alone: focus stays, nothing is read twice. */
export function mark(box, entry) {
  box.querySelectorAll(".ticks, .reactions, .failure, .remark").forEach((each) => each.remove());
  box.querySelector(".foot").append(ticksOf(entry));
  const reactions = Object.values(entry.reactions);
  if (reactions.length) box.querySelector(".bubble").append(make("span", { className: "reactions" }, reactions.join("")));
  if (entry.error) box.append(make("p", { className: "failure" }, `${entry.error.code}: ${entry.error.error_data.details}`));
  for (const remark of entry.remarks) box.append(make("p", { className: "remark" }, remark));
}

function contentOf(shown) {
  const parts = [];
  if (shown.label) parts.push(make("p", { className: "label" }, shown.label));
  if (shown.media) parts.push(mediaOf(shown.media));
  if (shown.header) parts.push(make("p", { className: "header" }, shown.header));
  if (shown.location) parts.push(placeOf(shown.location));
  for (const contact of shown.contacts ?? []) parts.push(make("p", { className: "card" }, `${contact.name} ${contact.phones.join(", ")}`));
  if (shown.products) parts.push(listOf(shown.products));
  if (shown.order) parts.push(listOf(shown.order.map((each) => `${each.quantity} × ${each.product_retailer_id}`)));
  if (shown.text) parts.push(make("p", { className: "text" }, ...styled(shown.text)));
  if (shown.footer) parts.push(make("p", { className: "footer" }, shown.footer));
  if (shown.cards) parts.push(make("div", { className: "cards", tabIndex: 0, role: "group", ariaLabel: "Cards" }, ...shown.cards.map(cardOf)));
  return parts;
}

function cardOf(card) {
  const buttons = (card.buttons ?? []).map((each) => each.url ? link(each.url, each.title) : make("span", {}, each.title));
  return make("div", { className: "card" }, ...contentOf(card), ...buttons);
}

function listOf(items) {
  return make("ul", { className: "items" }, ...items.map((each) => make("li", {}, each)));
}

function mediaOf({ kind, url, name }) {
  if (!url.startsWith("/_simulator/")) return link(url, `${kind} at ${url}`);
  if (kind === "image" || kind === "sticker") return picture(url, kind);
  const named = { audio: "Voice or sound", video: "Video" }[kind] ?? (name || "Document");
  return make("a", { className: "file", href: url, download: name || kind }, named);
}

function picture(url, kind) {
  const image = make("img", { className: `picture ${kind}`, src: url, alt: kind === "sticker" ? "Sticker" : "Picture" });
  image.addEventListener("error", () => image.replaceWith(link(url, "Picture")));
  return image;
}

function placeOf({ latitude, longitude, name, address }) {
  const where = `${Number(latitude).toFixed(4)}, ${Number(longitude).toFixed(4)}`;
  return make("p", { className: "card" }, make("b", {}, "Location "), [name, address, where].filter(Boolean).join(" · "));
}

function answersOf(entry, on) {
  const { buttons = [], list } = entry.shown;
  const made = buttons.map((each) => each.url ? link(each.url, each.title) : button(each.title, () => on.tap(entry, each)));
  if (list) made.push(button(`☰ ${list.button}`, (event) => on.list(entry, event.currentTarget)));
  return made.length ? [make("div", { className: "answers", role: "group", ariaLabel: "Answers" }, ...made)] : [];
}

function footOf(entry, on) {
  const time = new Date(entry.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const details = button("Details", () => on.details(entry));
  details.className = "details";
  return make("p", { className: "foot" }, details, make("time", {}, time));
}

function ticksOf({ statuses }) {
  const status = ["failed", "read", "delivered", "sent", "waiting"].find((each) => statuses.includes(each));
  const [signs, told] = TICKS[status] ?? ["", ""];
  return make("span", { className: `ticks ${status ?? ""}`, title: told },
    make("span", { ariaHidden: "true" }, signs), make("span", { className: "unseen" }, told));
}

/** *bold*, _italic_, ~struck~, ```code``` and addresses. */
export function styled(text) {
  const address = text.match(LINK);
  if (address) {
    const end = address.index + address[0].length;
    const known = address[0].replace(/[.,;:!?)]+$/, "");
    const cut = end - (address[0].length - known.length);
    return [...styled(text.slice(0, address.index)), link(known, known), ...styled(text.slice(cut))];
  }
  for (const [sign, tag] of STYLES) {
    const from = text.indexOf(sign);
    const to = from < 0 ? -1 : text.indexOf(sign, from + sign.length);
    const inner = text.slice(from + sign.length, to);
    if (to > from && inner.trim() === inner && inner && isFree(text[from - 1]) && isFree(text[to + sign.length])) {
      return [...styled(text.slice(0, from)), make(tag, {}, ...styled(inner)), ...styled(text.slice(to + sign.length))];
    }
  }
  return text ? [text] : [];
}

const isFree = (sign) => sign === undefined || !/[\p{L}\p{N}]/u.test(sign);

function link(address, text) {
  let known = null;
  try {
    known = new URL(address, location.href);
  } catch {
    return make("span", {}, text);
  }
  if (!["http:", "https:"].includes(known.protocol)) return make("span", {}, text);
  return make("a", { href: known.href, target: "_blank", rel: "noopener" }, text);
}

export function button(text, onClick) {
  const made = make("button", { type: "button" }, text);
  made.addEventListener("click", onClick);
  return made;
}

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (properties.role) element.setAttribute("role", properties.role);
  element.append(...children);
  return element;
}

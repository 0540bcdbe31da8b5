// Messages as elements. Whatever came from a shopper or from the server goes in as text, never as markup.

const PAGE_FILES = "/webhooks/webchat/static/";
const LINK = /https?:\/\/[^\s<>"'«»“”]+/g;
const BULLET = /^\s*(?:[-*•·–]|\d{1,2}[.)])\s/;

/** The element of a message; `handlers` has choose(id, index) and mend(id). */
export function bubble(message, words, handlers) {
  const box = element("div", `message ${message.from === "shopper" ? "shopper" : "shop"}`);
  box.dataset.id = message.id;
  if (message.text) box.append(speech(message, words));
  if (message.image) box.append(...picture(message.image, words));
  if (message.attachment) box.append(...attachment(message.attachment, words));
  if (message.buttons?.length) box.append(choices(message, words, handlers));
  mark(box, message, words, handlers);
  return box;
}

/** Brings an element in line with its message's state, leaving the text alone: a screen reader would read it again. */
export function mark(box, message, words, handlers) {
  box.dataset.state = message.state ?? "";
  box.querySelector(".note")?.remove();
  if (["failed", "unanswered", "tooLong"].includes(message.state)) {
    const text = words[message.state].replace("{longest}", message.longest);
    box.append(button("note", text, () => handlers.mend(message.id)));
  }
  if (message.chosen != null) spend(box, message.chosen, words);
}

function speech(message, words) {
  const paragraph = element("p", "text");
  paragraph.append(element("span", "unseen", `${message.from === "shopper" ? words.you : words.shop} `));
  paragraph.append(...message.text.split("\n").map(line));
  return paragraph;
}

function line(text) {
  const row = element("span", BULLET.test(text) ? "line bullet" : "line");
  row.append(...(text ? linked(text) : [element("br")])); // an empty line is still there when copied
  return row;
}

function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = withoutClosing(match[0]);
    if (!parsed(address)) continue;
    parts.push(text.slice(from, match.index), link(address, address));
    from = match.index + address.length;
  }
  return [...parts, text.slice(from)].filter((part) => part !== "");
}

/** "(see https://x.example/a)." means https://x.example/a; a bracket opened inside the address stays. */
function withoutClosing(address) {
  const shorter = address.replace(/[.,;:!?…*_]+$/, "");
  const opening = { ")": "(", "]": "[" }[shorter.at(-1)];
  return opening && !shorter.includes(opening) ? withoutClosing(shorter.slice(0, -1)) : shorter;
}

function link(address, text) {
  const anchor = element("a", "", text);
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener";
  return anchor;
}

function picture(address, words) {
  const source = webAddress(address);
  if (!source) return [];
  const image = element("img", "picture");
  image.alt = words.picture;
  // A picture that does not load, or one of another site, which this page's security policy refuses, is still one tap away.
  image.addEventListener("error", () => image.replaceWith(link(source, words.openPicture)));
  image.src = source;
  return [image];
}

function attachment(given, words) {
  const source = webAddress(typeof given === "string" ? given : (given.payload?.src ?? given.payload?.url));
  return source ? [link(source, words.openFile)] : [];
}

/** A full http(s) address, or null. The catalogue's own pictures ("/static/...") are among the page's files. */
function webAddress(given) {
  const local = typeof given === "string" ? given.replace(/^\/static\//, PAGE_FILES) : "";
  const address = local ? parsed(local) : null;
  return address && ["http:", "https:"].includes(address.protocol) ? address.href : null;
}

function parsed(address) {
  try {
    return new URL(address, location.href);
  } catch {
    return null;
  }
}

function choices(message, words, handlers) {
  const group = element("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", words.choices);
  message.buttons.forEach((each, index) => {
    group.append(button("choice", each.title, (event) => handlers.choose(message.id, index, event)));
  });
  return group;
}

function spend(box, chosen, words) {
  box.querySelectorAll(".choice").forEach((each, index) => {
    each.disabled = true;
    if (index !== chosen || each.classList.contains("chosen")) return;
    each.classList.add("chosen");
    each.append(element("span", "unseen", ` (${words.chosen})`));
  });
}

export function button(name, text, onClick) {
  const made = element("button", name, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

export function element(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

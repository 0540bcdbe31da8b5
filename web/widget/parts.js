// The parts of an entry (docs/webchat-protocol.md) as elements. Every maker gets the part and the `desk`: {words, server,
// choose(choice, event), say(text, event), place(latitude, longitude, event), tell(text), enlarge(address, text)}, and what
// addresses.js wants of it.

import { FileAddress } from "./addresses.js";
import { button, drawn, filled, link, make, unseen, webAddress } from "./dom.js";
import { carousel } from "./carousel.js";
import { speech } from "./speech.js";

const MAP = "https://www.openstreetmap.org/";

const MAKERS = {
  text: ({ text }) => [said(text)],
  picture: ({ url, text }, desk) => [picture(url, text, desk), said(text)],
  file: ({ url, name, text }, desk) => [said(text), fileRow(url, name, desk)],
  choices: (part, desk) => framed(part, desk, choices(part.choices, desk)),
  link: (part, desk) => framed(part, desk, strongLink(part, desk)),
  place_request: ({ text }, desk) => [said(text), placeRequest(desk)],
  date: (part, desk) => [said(part.text), datePicker(part, desk)],
  rating: (part, desk) => [said(part.text), rating(part, desk)],
  cards: ({ cards }, desk) => [carousel(cards.map((each) => card(each, desk)), desk.words)],
  place: (part, desk) => [placeCard(part, desk)],
  people: ({ people }) => people.map(person),
};

/** The elements of an assistant's or agent's entry. A part that is unknown or broken shows its text. */
export function partsOf(entry, desk) {
  return (entry.parts ?? []).flatMap((part) => elementsOf(part, desk)).filter(Boolean);
}

function elementsOf(part, desk) {
  try {
    if (Object.hasOwn(MAKERS, part.kind)) return MAKERS[part.kind](part, desk);
  } catch (fault) {
    console.warn("tendero-chat: a part that cannot be shown", fault);
  }
  return [said(part?.text)];
}

/** The files that a shopper sent: pictures to look at, else a row with the name. */
export function shopperFiles(files, desk) {
  return files.map((file) => {
    const isPicture = file.url && file.type?.startsWith("image/");
    return isPicture ? picture(file.url, "", desk, desk.words.your_picture) : fileRow(file.url, file.name, desk);
  });
}

/** Where the shopper, or a shop, is. */
export function placeCard({ latitude, longitude, name, address }, desk) {
  const [lat, lon] = [Number(latitude), Number(longitude)];
  const map = `${MAP}?mlat=${lat}&mlon=${lon}#map=16/${lat}/${lon}`;
  const lines = [make("strong", {}, name || desk.words.place), address && make("span", { dir: "auto" }, address)];
  return make("div", { class: "row", part: "place" }, drawn("pin"), make("div", {}, lines, link(map, {}, desk.words.map)));
}

/** `chosen`: the index of the choice that was taken, after which no other of its entry can be; undefined: none yet. */
export function spend(box, chosen, words) {
  for (const each of box.querySelectorAll("[data-index]")) {
    const isReusable = each.closest(".card"); // who has looked at one product may look at another
    each.disabled = chosen !== undefined && !isReusable;
    const isChosen = Number(each.dataset.index) === chosen;
    if (isChosen === each.classList.contains("chosen")) continue;
    each.classList.toggle("chosen", isChosen);
    if (isChosen) each.append(unseen(` (${words.chosen})`));
    else each.querySelector(".unseen").remove();
  }
}

/** What asks for an answer, a day, a rating or a place, asks no more once the shopper has said something. */
export function retire(box, isOver) {
  for (const each of box.querySelectorAll("fieldset")) each.disabled = isOver;
}

function said(text) {
  return text ? speech(text) : null;
}

function framed({ picture: address, header, text, footer }, desk, below) {
  const head = header ? make("strong", { class: "line" }, header) : "";
  const foot = footer ? make("span", { class: "line small" }, footer) : "";
  const body = text || header || footer ? speech(text ?? "", head) : null;
  body?.append(foot);
  return [address ? picture(address, "", desk) : null, body, below];
}

function picture(given, text, desk, name = text || desk.words.picture) {
  const address = new FileAddress(given, desk);
  if (!address.href) return null;
  const image = make("img", { alt: name, src: address.href, decoding: "async" });
  const enlarge = async () => desk.enlarge(await address.current(), name);
  const frame = button({ class: "picture", part: "picture", title: desk.words.enlarge, click: enlarge }, image);
  // One that is gone, or that the page's security policy refuses, is still one tap away.
  const loosen = () => frame.replaceWith(link(address.href, { class: "loose" }, desk.words.open_picture));
  const renew = async () => {
    image.addEventListener("error", loosen);
    if (await address.renew()) image.src = address.href;
    else loosen();
  };
  image.addEventListener("error", renew, { once: true });
  return frame;
}

function fileRow(given, name, desk) {
  const address = new FileAddress(given, desk);
  const title = make("span", { class: "name", dir: "auto" }, name || desk.words.download);
  if (!given || !address.href) return make("div", { class: "row", part: "file" }, drawn("file"), title);
  const open = async (event) => {
    if (!address.isOld) return;
    event.preventDefault();
    row.href = await address.current();
    row.cloneNode().click(); // which asks nothing any more
  };
  const shown = { class: "row", part: "file", "aria-label": `${desk.words.download}: ${name ?? ""}` };
  const row = link(address.href, { ...shown, download: name || "", click: open }, drawn("file"), title, drawn("save"));
  return row;
}

function strongLink({ title, url }, desk) {
  const address = webAddress(url, desk.server);
  return address ? link(address, { class: "choice", part: "link" }, title) : null;
}

/** Few and short: buttons beside each other. With descriptions or sections: a list. */
function choices(given, desk) {
  const isList = given.some((each) => each.description || each.section);
  const group = make("div", { class: isList ? "list" : "choices", role: "group", "aria-label": desk.words.choices });
  let section = "";
  for (const each of given) {
    if (each.section && each.section !== section) group.append(make("p", { class: "section" }, (section = each.section)));
    group.append(choice(each, desk));
  }
  return group;
}

function choice({ index, title, description }, desk) {
  const small = description ? make("span", { class: "small" }, description) : "";
  const tap = (event) => desk.choose({ index, title }, event);
  const name = make("span", { dir: "auto" }, title);
  return button({ class: "choice", part: "choice", "data-index": index, click: tap }, name, small);
}

function card({ text, picture: given, choices: given_choices = [], links = [] }, desk) {
  const [title, ...rest] = String(text ?? "").split("\n");
  const image = given ? picture(given, "", desk, title) : null;
  const lines = rest.filter(Boolean).map((line) => make("span", { class: "line", dir: "auto" }, line));
  const addresses = links.map(({ title: name, url }) => strongLink({ title: name, url }, desk));
  return make(
    "li",
    { class: "card", part: "card" },
    image,
    make("p", {}, make("strong", { class: "line", dir: "auto" }, title), lines),
    given_choices.map((each) => choice(each, desk)),
    addresses,
  );
}

function placeRequest(desk) {
  const ask = (event) => {
    const got = ({ coords }) => desk.place(coords.latitude, coords.longitude, event);
    const refused = () => desk.tell(desk.words.no_place);
    if (!navigator.geolocation) return refused();
    navigator.geolocation.getCurrentPosition(got, refused, { timeout: 15000, maximumAge: 60000 });
  };
  const tap = button({ class: "choice", part: "choice", click: ask }, drawn("pin"), desk.words.send_place);
  return make("fieldset", { class: "choices" }, tap);
}

function datePicker({ from, to }, desk) {
  const day = make("input", { type: "date", min: from, max: to, required: true, "aria-label": desk.words.date });
  const send = (event) => (day.reportValidity() ? desk.say(day.value, event) : undefined);
  return make("fieldset", { class: "ask", part: "date" }, day, button({ class: "choice", click: send }, desk.words.send_date));
}

let ratings = 0;

function rating({ most }, desk) {
  const group = `rating-${++ratings}`;
  const numbers = Array.from({ length: Math.min(Math.max(Number(most) || 5, 1), 10) }, (_, index) => index + 1);
  const star = (number) => {
    const input = make("input", { type: "radio", name: group, value: number, required: true });
    const name = filled(desk.words.stars, { number, most: numbers.length });
    return make("label", { class: "star" }, input, drawn("star"), unseen(name));
  };
  const stars = make("div", { class: "stars", role: "radiogroup", "aria-label": desk.words.rating }, numbers.map(star));
  const send = (event) => {
    const picked = stars.querySelector(":checked");
    return picked ? desk.say(picked.value, event) : stars.querySelector("input").reportValidity();
  };
  const tap = button({ class: "choice", click: send }, desk.words.send_rating);
  return make("fieldset", { class: "ask", part: "rating" }, stars, tap);
}

function person({ name, phones = [], emails = [] }) {
  return speech([name, ...phones, ...emails].join("\n"));
}

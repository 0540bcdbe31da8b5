// The parts of an entry, to be read: an agent taps none of the shopper's choices.

import { link, make, webAddress } from "../widget/dom.js";
import { placeCard, shopperFiles } from "../widget/parts.js";
import { enlarge } from "../widget/sheets.js";
import { speech } from "../widget/speech.js";
import { say, words } from "./words.js";

/** For what is borrowed from the chat. */
const DESK = {
  get words() {
    return words;
  },
  server: `${location.origin}/`,
  enlarge: (address, name) => enlarge(document.body, address, name, words),
};

const MAKERS = {
  text: ({ text }) => [said(text)],
  picture: ({ url, text, name }) => [...filesOf([{ url, name: text || name || words.picture, type: "image/" }]), said(text)],
  file: ({ url, name, text }) => [said(text), ...filesOf([{ url, name }])],
  choices: (part) => [...framed(part), offered(part.choices)],
  link: (part) => [...framed(part), outward(part)],
  place_request: ({ text }) => [said(text), offered([{ title: words.send_place }])],
  date: ({ text }) => [said(text), offered([{ title: words.date }])],
  rating: ({ text, most }) => [said(text), offered([{ title: say("rating_asked", { most }) }])],
  cards: ({ cards }) => [make("ul", { class: "cards", role: "list" }, cards.map(card))],
  place: (part) => [placeCard(part, DESK)],
  people: ({ people }) => people.map(({ name, phones = [], emails = [] }) => speech([name, ...phones, ...emails].join("\n"))),
};

/** The elements of an entry's parts. One that is unknown or broken shows its text. */
export function partsOf(entry) {
  return (entry.parts ?? []).flatMap(elementsOf).filter(Boolean);
}

export function filesOf(files) {
  // The chat calls a shopper's picture theirs; a colleague's name for it is the file's.
  const called = ({ name }) => ({ ...DESK, words: { ...words, your_picture: name || words.picture } });
  return files.flatMap((file) => shopperFiles([file], called(file)));
}

function elementsOf(part) {
  try {
    if (Object.hasOwn(MAKERS, part.kind)) return MAKERS[part.kind](part);
  } catch (fault) {
    console.warn("desk: a part that cannot be shown", fault);
  }
  return [said(part?.text)];
}

function said(text) {
  return text ? speech(text) : null;
}

function framed({ picture, header, text, footer }) {
  const lines = [header, text, footer].filter(Boolean).join("\n");
  return [...(picture ? filesOf([{ url: picture, name: words.picture, type: "image/" }]) : []), said(lines)];
}

function offered(choices) {
  const titles = (choices ?? []).map(({ title }) => make("li", { dir: "auto" }, title));
  return make("ul", { class: "offered", role: "list", "aria-label": words.choices }, titles);
}

function outward({ title, url }) {
  const address = webAddress(url, DESK.server);
  return address ? link(address, { class: "outward" }, title) : said(title);
}

function card({ text, picture, choices = [], links = [] }) {
  const shown = picture ? filesOf([{ url: picture, name: words.picture, type: "image/" }]) : [];
  return make("li", { class: "card" }, shown, said(text), offered([...choices, ...links]));
}

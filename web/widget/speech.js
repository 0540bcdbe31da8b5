// What somebody wrote, as lines with their bullets and links.

import { link, make, webAddress } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"'«»“”]+/g;
const BULLET = /^\s*(?:[-*•·–]|\d{1,2}[.)])\s/;

/** A text as a paragraph: an address becomes a link, a line with a dash or number before it hangs behind it. */
export function speech(text, ...before) {
  const lines = String(text).split("\n").map(line);
  return make("p", { class: "text", part: "text", dir: "auto" }, ...before, ...lines);
}

function line(text) {
  const content = text ? linked(text) : [make("br")]; // an empty line is still there when copied
  return make("span", { class: BULLET.test(text) ? "line bullet" : "line" }, ...content);
}

function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = withoutClosing(match[0]);
    if (!webAddress(address)) continue;
    parts.push(text.slice(from, match.index), link(address, {}, address));
    from = match.index + address.length;
  }
  return [...parts, text.slice(from)];
}

/** "(see https://x.example/a)." means https://x.example/a; a bracket opened inside the address stays. */
function withoutClosing(address) {
  const shorter = address.replace(/[.,;:!?…*_]+$/, "");
  const opening = { ")": "(", "]": "[" }[shorter.at(-1)];
  return opening && !shorter.includes(opening) ? withoutClosing(shorter.slice(0, -1)) : shorter;
}

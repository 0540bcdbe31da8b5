// A basket to look at. Nothing is bought here: the demo ends at the till.

import { ask } from "./assistant.js";
import { closing, fill, make, picture } from "./make.js";
import { keep, kept, money, price, product, say } from "./shop.js";

const dialog = document.getElementById("basket");
const button = document.getElementById("basket-button");
const count = document.getElementById("basket-count");
let isAtTheTill = false;

button.addEventListener("click", open);
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/** Add a piece. size: "" where there is one only. */
export function put(known, colour, size) {
  const lines = read();
  const same = lines.find((each) => each.handle === known.handle && each.colour === colour.colour && each.size === size);
  if (same) same.pieces += 1;
  else lines.push({ handle: known.handle, colour: colour.colour, size, pieces: 1 });
  write(lines);
  open();
}

/** The button's number, and the basket where it is open. */
export function draw() {
  const pieces = read().reduce((sum, each) => sum + each.pieces, 0);
  count.textContent = pieces;
  count.hidden = pieces === 0;
  button.setAttribute("aria-label", say("basket_of", { count: pieces }));
  list();
}

function open() {
  isAtTheTill = false;
  list();
  if (!dialog.open) dialog.showModal();
}

function list() {
  const lines = read().map(found).filter(Boolean);
  const sum = lines.reduce((total, each) => total + each.pieces * price(each.colour), 0);
  fill(dialog,
    closing(dialog, say("close")),
    make("h2", { id: "basket-title" }, say("basket")),
    lines.length === 0 ? make("p", { class: "quiet" }, say("basket_empty")) : make("ul", {}, ...lines.map(line)),
    lines.length === 0 ? null : make("p", { class: "sum" }, make("span", {}, say("total")), make("strong", {}, money(sum))),
    lines.length === 0 ? null : till(lines));
}

function line(each) {
  return make("li", {},
    picture(each.known.handle, each.colour.colour),
    make("div", {},
      make("strong", {}, each.known.name),
      make("span", { class: "quiet" }, [each.colour.word, each.size, each.pieces > 1 ? `× ${each.pieces}` : ""].filter(Boolean).join(" · ")),
      make("span", {}, money(price(each.colour) * each.pieces))),
    make("button", {
      type: "button", class: "remove", "aria-label": say("remove", { product: each.known.name }),
      onclick: () => { write(read().filter((_, index) => index !== each.index)); dialog.querySelector(".close").focus(); },
    }, "×"));
}

function till(lines) {
  if (!isAtTheTill) {
    return make("button", { type: "button", class: "strong wide", onclick: () => { isAtTheTill = true; list(); dialog.querySelector(".till button").focus(); } }, say("checkout"));
  }
  const [first] = lines;
  const question = say(first.size ? "question" : "question_one_size", { product: first.known.name, colour: first.colour.word, size: first.size });
  return make("div", { class: "till" },
    make("p", { role: "status" }, say("checkout_note")),
    make("button", { type: "button", class: "strong wide", onclick: () => { dialog.close(); ask(question); } }, say("ask_anything")));
}

/** What a line is about; undefined where the shop has it no more. */
function found(each, index) {
  const known = product(each.handle);
  const colour = known?.colours.find((one) => one.colour === each.colour);
  return colour && { ...each, index, known, colour };
}

function read() {
  const lines = kept("basket");
  return Array.isArray(lines) ? lines : [];
}

function write(lines) {
  keep("basket", lines);
  draw();
}

// One product: colours, sizes, what is left of them, the basket, and a question about it.

import { ask } from "./assistant.js";
import { put } from "./basket.js";
import { closing, fill, make, picture } from "./make.js";
import { money, price, product, say } from "./shop.js";

const dialog = document.getElementById("product");
const LEFT = ["sold_out", "few_left", "in_stock"];

/** As the address says: #oxford-shirt opens the shirt. */
export function follow() {
  const known = product(location.hash.slice(1));
  if (known) show(known, known.colours[0], null);
  else if (dialog.open) dialog.close();
}

dialog.addEventListener("close", () => {
  if (product(location.hash.slice(1))) history.replaceState(null, "", location.pathname + location.search);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

function show(known, colour, size) {
  const again = (newColour, newSize) => show(known, newColour, newSize);
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  fill(dialog,
    closing(dialog, say("close")),
    pictureOf(known, colour),
    make("div", { class: "facts" },
      make("p", { class: "maker" }, known.brand),
      make("h2", { id: "product-name" }, known.name),
      make("p", { class: "price" }, money(price(colour))),
      make("p", {}, known.about),
      colours(known, colour, size, again),
      sizes(colour, size, again),
      make("div", { class: "doors" }, adding(known, colour, size), asking(known, colour, size)),
      make("dl", {},
        make("dt", {}, say("made_of")), make("dd", {}, known.material),
        make("dt", {}, say("care")), make("dd", {}, known.care),
        known.final_sale ? make("dt", {}, say("final_sale")) : null, known.final_sale ? make("dd", {}, "✓") : null)));
  if (!dialog.open) dialog.showModal();
  else dialog.querySelector(`[data-key="${focused}"]`)?.focus();
}

/** The same element in another colour, as long as it is the same product: nothing flickers. */
function pictureOf(known, colour) {
  const there = dialog.querySelector(".picture");
  if (there?.dataset.handle !== known.handle) {
    const fresh = picture(known.handle, colour.colour);
    fresh.dataset.handle = known.handle;
    return fresh;
  }
  there.dataset.colour = colour.colour;
  return there;
}

function colours(known, chosen, size, again) {
  return make("fieldset", { class: "swatches" },
    make("legend", {}, `${say("colour")}: ${chosen.word}`),
    ...known.colours.map((each) => make("button", {
      type: "button", class: "swatch", "data-colour": each.colour, "data-key": each.colour, "aria-label": each.word,
      title: each.word, "aria-pressed": String(each === chosen), onclick: () => again(each, size),
    })));
}

function sizes(colour, chosen, again) {
  const known = Object.entries(colour.left);
  if (isOneSize(colour)) return make("p", { class: "left", "data-left": colour.left[""] }, say(LEFT[colour.left[""]]));
  const words = chosen === null ? say("choose_size") : `${chosen} · ${say(LEFT[colour.left[chosen]])}`;
  return make("fieldset", { class: "sizes" },
    make("legend", {}, `${say("size")}: `, make("span", { class: "left", "data-left": colour.left[chosen] ?? 2 }, words)),
    ...known.map(([size, left]) => make("button", {
      type: "button", class: "size", "data-key": size, "aria-pressed": String(size === chosen), "data-left": left,
      "aria-label": left ? size : `${size}, ${say("sold_out")}`, onclick: () => again(colour, size),
    }, size)));
}

function adding(known, colour, size) {
  const wanted = isOneSize(colour) ? "" : size;
  const canBeHad = wanted !== null && colour.left[wanted] > 0;
  const words = wanted === null ? say("choose_size") : canBeHad ? say("add") : say("sold_out");
  return make("button", {
    type: "button", class: "strong", disabled: !canBeHad,
    onclick: () => { dialog.close(); put(known, colour, wanted); },
  }, words);
}

function asking(known, colour, size) {
  const values = { product: known.name, colour: colour.word, size };
  const question = say(isOneSize(colour) ? "question_one_size" : size === null ? "question_open" : "question", values);
  return make("button", { type: "button", class: "quiet", onclick: () => { dialog.close(); ask(question); } }, say("ask_about"));
}

function isOneSize(colour) {
  return "" in colour.left;
}

// The demo shop's front: words, goods and departments. The rest is in the modules around it.

import * as account from "./account.js";
import { ask, speakLanguage } from "./assistant.js";
import * as basket from "./basket.js";
import { announce, make, picture } from "./make.js";
import { follow } from "./panel.js";
import * as shop from "./shop.js";

const SHOWN = [["summer-dress", "green"], ["city-sneakers", "white"], ["leather-bag", "brown"], ["oxford-shirt", "blue"], ["ceramic-vase", "white"]];
const FIRST = ["oxford-shirt", "running-shoes", "summer-dress", "leather-bag", "wool-sweater", "leather-boots", "straight-jeans", "silk-scarf"];
const ASKED = ["foot_returns", "foot_delivery", "foot_stores", "foot_person"];

const at = (id) => document.getElementById(id);
let department = null; // all of them

start();

async function start() {
  try {
    await shop.enter();
  } catch {
    document.documentElement.removeAttribute("data-loading");
    announce("Mercado Aurora: 503");
    return;
  }
  at("search").addEventListener("submit", search);
  at("ask").addEventListener("click", () => ask());
  at("language").addEventListener("change", (event) => change(event.target.value));
  addEventListener("hashchange", follow);
  account.begin(draw);
  draw();
  document.documentElement.removeAttribute("data-loading");
  follow();
  speakLanguage(shop.language());
}

async function change(language) {
  try {
    await shop.speak(language);
  } catch {
    return announce(shop.say("no_products"));
  }
  draw();
  speakLanguage(language);
}

function search(event) {
  event.preventDefault();
  const box = at("question");
  ask(box.value.trim());
  box.value = "";
}

function draw() {
  document.documentElement.lang = shop.language();
  document.title = shop.say("title");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = shop.say(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", shop.say(element.dataset.label));
  for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = shop.say(element.dataset.hint);
  at("language-code").textContent = shop.language().toUpperCase();
  at("language").replaceChildren(...Object.entries(shop.languages()).map(([code, name]) => make("option", { value: code, lang: code, selected: code === shop.language() }, name)));
  at("ideas").replaceChildren(...shop.words().ideas.map((idea) => make("li", {}, make("button", { type: "button", onclick: () => ask(idea) }, idea))));
  at("shown").replaceChildren(...SHOWN.map(([handle, colour]) => picture(handle, colour)));
  at("asked").replaceChildren(...ASKED.map((name) => make("li", {}, make("button", { type: "button", onclick: () => ask(shop.say(`${name}_ask`)) }, shop.say(name)))));
  account.draw();
  basket.draw();
  drawGoods();
}

function drawGoods() {
  const all = [{ slug: null, name: shop.say("everything") }, ...shop.categories()];
  at("departments").replaceChildren(...all.map((each) => make("button", {
    type: "button", "data-slug": each.slug ?? "", "aria-pressed": String(each.slug === department), onclick: () => choose(each.slug),
  }, each.name)));
  const goods = department === null ? inOrder(shop.products()) : shop.products().filter((each) => each.category === department);
  at("goods-count").textContent = shop.say("count", { count: goods.length });
  at("grid").replaceChildren(...goods.map(card));
}

function choose(slug) {
  department = slug;
  drawGoods();
  at("departments").querySelector(`[data-slug="${slug ?? ""}"]`).focus();
}

/** A few of each kind first, the rest as the catalogue has them. */
function inOrder(goods) {
  return [...FIRST.map(shop.product).filter(Boolean), ...goods.filter((each) => !FIRST.includes(each.handle))];
}

function card(each) {
  const first = each.colours[0];
  const prices = each.colours.map(shop.price);
  const lowest = Math.min(...prices);
  return make("li", {},
    make("a", { class: "good", href: `#${each.handle}` },
      picture(each.handle, first.colour),
      each.final_sale ? make("span", { class: "tag" }, shop.say("final_sale")) : null,
      make("span", { class: "maker" }, each.brand),
      make("span", { class: "name" }, each.name),
      make("span", { class: "price" }, lowest === Math.max(...prices) ? shop.money(lowest) : shop.say("from", { price: shop.money(lowest) })),
      make("span", { class: "dots", "aria-hidden": "true" }, ...each.colours.map((colour) => make("i", { "data-colour": colour.colour }))),
      make("span", { class: "hint" }, hint(each))));
}

/** Sizes of which something is left, in any colour. */
function hint(each) {
  const left = new Map();
  for (const colour of each.colours) for (const [size, pieces] of Object.entries(colour.left)) left.set(size, Math.max(left.get(size) ?? 0, pieces));
  const most = Math.max(...left.values());
  if (most === 0) return shop.say("sold_out");
  if (left.has("")) return shop.say(most === 1 ? "few_left" : "in_stock");
  const sizes = [...left].filter(([, pieces]) => pieces > 0).map(([size]) => size);
  return sizes.length > 2 ? `${sizes[0]}–${sizes.at(-1)}` : sizes.join(", ");
}

// What the shop shows, in one language at a time, and what it remembers of this browser: language, customer, basket.

const WINDOW = "/webhooks/demo_shop/window/";
const LANGUAGES = ["es", "en", "pt", "nb"];
const ALSO = { no: "nb", nn: "nb" }; // what browsers in Norway say

let shown = null;
let person = kept("person");

export const words = () => shown.words;
export const language = () => shown.language;
export const languages = () => shown.languages;
export const categories = () => shown.categories;
export const products = () => shown.products;
export const people = () => shown.people;
export const product = (handle) => shown.products.find((each) => each.handle === handle);
export const customer = () => shown.people.find((each) => each.key === person) ?? null;

/** Take the language of the address, of the last visit, or of the browser. */
export async function enter() {
  const asked = new URLSearchParams(location.search).get("lang");
  const own = navigator.languages.map((each) => each.slice(0, 2)).map((each) => ALSO[each] ?? each);
  await speak([asked, kept("language"), ...own, "en"].find((each) => LANGUAGES.includes(each)));
}

/** Throws where the shop does not answer. */
export async function speak(wanted) {
  const answer = await fetch(WINDOW + wanted);
  if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
  shown = await answer.json();
  keep("language", wanted);
}

/** key: of a person; null: signed out. */
export function be(key) {
  person = key;
  keep("person", key);
}

/** The words of this name, with what stands in braces filled in. */
export function say(name, values = {}) {
  return words()[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** The amount in the customer's currency, or in that of the language. */
export function price(colour) {
  return colour.prices[currency()];
}

export function money(minor) {
  return new Intl.NumberFormat(words().locale, { style: "currency", currency: currency() }).format(minor / 100);
}

function currency() {
  return customer()?.currency ?? words().currency;
}

export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`demo-shop.${name}`));
  } catch {
    return null; // storage is closed to us, or holds something else
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`demo-shop.${name}`, JSON.stringify(value));
  } catch {
    // it is forgotten with the page
  }
}

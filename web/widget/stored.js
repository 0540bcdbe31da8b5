// What the widget itself keeps in this browser, beside the conversation's own: settings for good, the rest as long as the tab lives.
// Where the browser stores nothing, it is as if nothing had been kept.

const LASTING = ["sound", "notifications"];
const own = new Map();

export function read(key) {
  try {
    return shelf(key).getItem(`tendero.${key}`) ?? own.get(key) ?? "";
  } catch {
    return own.get(key) ?? "";
  }
}

export function keep(key, value) {
  own.set(key, value);
  try {
    if (value) shelf(key).setItem(`tendero.${key}`, value);
    else shelf(key).removeItem(`tendero.${key}`);
  } catch {
    // It is kept until the page is left.
  }
}

function shelf(key) {
  return LASTING.includes(key) ? localStorage : sessionStorage;
}

// How it has gone: numbers, and tables with a bar in each row.

import { make } from "../widget/dom.js";
import { get, inWords } from "./api.js";
import { number, period } from "./formats.js";
import { named, titled, words } from "./words.js";

const PERIODS = [1, 7, 30, 90];
const SVG = "http://www.w3.org/2000/svg";

/** docs/desk-protocol.md says what a report has. */
export function reportsPage(desk) {
  const box = make("div", { class: "report", "aria-live": "polite" });
  const show = async (days) => {
    box.replaceChildren(make("p", {}, words.loading));
    try {
      box.replaceChildren(...drawn(await get(`report?days=${days}`), desk));
    } catch (refusal) {
      box.replaceChildren(make("p", { class: "fault", role: "alert" }, inWords(refusal)));
    }
  };
  const options = PERIODS.map((days) => make("option", { value: String(days), selected: days === 7 }, named("last_days", days)));
  const select = make("select", { change: ({ target }) => show(target.value) }, options);
  show(7);
  return [make("label", { class: "period" }, make("span", {}, words.period), select), box];
}

function drawn(report, desk) {
  const { tiles = [], tables = [] } = report;
  const titles = { reason: (name) => named("reason", name), topic: (name) => titled(desk.topics, name), queue: (name) => titled(desk.queues, name) };
  const grid = make("dl", { class: "tiles" }, tiles.map(tile));
  return [grid, ...tables.filter(({ rows }) => rows.length).map((table) => tableOf(table, titles))];
}

function tile({ name, value, unit, of }) {
  return make("div", { class: "tile" }, make("dt", {}, named("measure", name)), make("dd", {}, inUnit(value, unit), of === undefined ? null : make("span", { class: "hint" }, ` / ${number(of)}`)));
}

function inUnit(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "seconds") return period(value * 1000);
  if (unit === "share") return number(value, { style: "percent", maximumFractionDigits: 0 });
  return number(value, { maximumFractionDigits: 1 });
}

function tableOf({ name, by, columns, rows }, titles) {
  const most = Math.max(...rows.map((row) => row.values[0] ?? 0), 1);
  const title = titles[by] ?? ((each) => each);
  const head = make("tr", {}, make("th", { scope: "col" }, named("by_what", by)), columns.map(({ name: column }) => make("th", { scope: "col", class: "number" }, named("measure", column))), make("td", {}));
  const line = (row) =>
    make(
      "tr",
      {},
      make("th", { scope: "row", dir: "auto" }, row.title ?? (row.name === null ? words.nothing : title(row.name))),
      row.values.map((value, index) => make("td", { class: "number" }, inUnit(value, columns[index].unit))),
      make("td", { class: "bar-cell" }, bar((row.values[0] ?? 0) / most)),
    );
  const caption = make("caption", {}, named("table", name));
  return make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": named("table", name) }, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, rows.map(line))));
}

/** A bar that only repeats a number of its row. `share`: 0 to 1. */
function bar(share) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("viewBox", "0 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("width", String(Math.max(1, share * 100)));
  rect.setAttribute("height", "10");
  svg.append(rect);
  return svg;
}

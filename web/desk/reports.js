// How it has gone: numbers, and tables with a bar in each row.

import { make } from "../widget/dom.js";
import { get, inWords, query } from "./api.js";
import { date, languageName, listed, number, period } from "./formats.js";
import { language, named, say, words } from "./words.js";

const PERIODS = [1, 7, 30, 90];
const TABLES = ["by_reason", "by_topic", "by_goal", "by_queue", "by_channel", "by_outcome", "by_fact"];
const SVG = "http://www.w3.org/2000/svg";

/** docs/desk-protocol.md says what a report has. */
export function reportsPage() {
  const box = make("div", { class: "report", "aria-live": "polite" });
  const show = async (days) => {
    box.replaceChildren(make("p", {}, words.loading));
    try {
      box.replaceChildren(...drawn(await get(query("report", { days, language }))));
    } catch (refusal) {
      box.replaceChildren(make("p", { class: "fault", role: "alert" }, inWords(refusal)));
    }
  };
  const options = PERIODS.map((days) => make("option", { value: String(days), selected: days === 7 }, named("last_days", days)));
  const select = make("select", { change: ({ target }) => show(target.value) }, options);
  show(7);
  return [make("label", { class: "period" }, make("span", {}, words.period), select), box];
}

function drawn(report) {
  const { asked_again: again = {}, quiet = {}, rating = {} } = report;
  const tiles = [
    ["count", number(report.count ?? 0)],
    ...["wait_minutes", "first_reply_minutes", "handle_minutes"].map((name) => [name, minutes(report[name]?.median), report[name]?.count ? say("nine_of_ten", { period: minutes(report[name].p90) }) : ""]),
    ["breached", number(sum(report.breached))],
    ["lost", number(report.lost ?? 0)],
    ["given_back", number(report.outcomes?.given_back ?? 0)],
    ["quiet", share(quiet.quiet, quiet.of), say("of_so_many", { count: number(quiet.of ?? 0) })],
    ["asked_again", share(again.conversations, again.of), say("of_so_many", { count: number(again.of ?? 0) })],
    ["rating", rating.mean === null || rating.mean === undefined ? "–" : number(rating.mean, { maximumFractionDigits: 1 }), say("of_so_many", { count: number(rating.answered ?? 0) })],
  ];
  const outcomes = Object.entries(report.outcomes ?? {}).map(([name, count]) => ({ name, title: named("state", name), count }));
  const facts = Object.entries(again.facts ?? {}).map(([name, count]) => ({ name, title: named("field", name), count }));
  const tables = { ...report, by_outcome: outcomes, by_fact: facts, by_channel: (report.by_channel ?? []).map((row) => ({ ...row, title: named("channel", row.name) })) };
  const unserved = (report.unserved ?? []).map(({ title, languages }) => make("p", { class: "fault" }, say("unserved_queue", { queue: title, languages: listed(languages.map(languageName)) })));
  const isCut = report.complete_since > report.since;
  const hints = isCut ? [make("p", { class: "hint" }, say("complete_since", { date: date(report.complete_since.slice(0, 10)) }))] : [];
  return [...unserved, ...hints, make("dl", { class: "tiles" }, tiles.map(tile)), ...TABLES.filter((name) => tables[name]?.length).map((name) => tableOf(name, tables[name]))];
}

function tile([name, value, below]) {
  return make("div", { class: "tile" }, make("dt", {}, named("measure", name)), make("dd", {}, value), below ? make("dd", { class: "hint" }, below) : null);
}

function minutes(value) {
  return value === null || value === undefined ? "–" : period(value * 60_000);
}

function share(part, whole) {
  return whole ? number(part / whole, { style: "percent", maximumFractionDigits: 0 }) : "–";
}

function sum(counts) {
  return Object.values(counts ?? {}).reduce((all, count) => all + count, 0);
}

function tableOf(name, rows) {
  const most = Math.max(...rows.map(({ count }) => count), 1);
  const line = (row) =>
    make("tr", {}, make("th", { scope: "row", dir: "auto" }, row.title || row.name || words.nothing), make("td", { class: "number" }, number(row.count)), make("td", { class: "bar-cell" }, bar(row.count / most)));
  const head = make("tr", {}, make("th", { scope: "col" }, named("of", name)), make("th", { scope: "col", class: "number" }, words.measure_count), make("td", {}));
  const table = make("table", {}, make("caption", {}, named("table", name)), make("thead", {}, head), make("tbody", {}, rows.map(line)));
  return make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": named("table", name) }, table);
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

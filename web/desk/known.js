// What is known about the shopper and their matter, so that nobody has to ask again.

import { iconButton, make, webAddress } from "../widget/dom.js";
import { actButton, whyNot } from "./acts.js";
import { date, dateTime, languageName, money, number, shown } from "./formats.js";
import { filesOf } from "./parts.js";
import { go, here, hashOf } from "./places.js";
import { named, say, titled, words } from "./words.js";

export class Known {
  constructor(desk) {
    this.desk = desk;
    this.content = make("div", { class: "known-content" });
    this.folded = new Set(["earlier", "files", "consents"]); // what the agent has closed stays closed
    const back = () => go({ ...here(), pane: "conversation" });
    this.back = iconButton("back", words.back_to_conversation, { class: "plain only-narrow", click: back });
    this.heading = make("h2", { id: "known-title", tabindex: "-1" }, words.known);
    this.element = make("section", { class: "pane known", "aria-labelledby": "known-title" }, make("div", { class: "pane-head" }, this.back, this.heading), this.content);
    this.content.tabIndex = 0;
    this.content.setAttribute("role", "region");
    this.content.setAttribute("aria-label", words.known_details);
    desk.on("conversation me", () => this.draw());
    this.draw();
  }

  draw() {
    const { open } = this.desk;
    if (!open || open.state !== "here") {
      this.drawn = null;
      this.content.replaceChildren(make("p", { class: "empty" }, open ? (open.state === "loading" ? words.loading : "") : words.known_nothing));
      return;
    }
    const { reasons, topics } = this.desk; // they may come later
    const state = JSON.stringify([open.id, open.shopper, open.packet, open.acts, reasons, topics]);
    if (state === this.drawn) return;
    const isSame = this.drawnId === open.id;
    const top = this.content.scrollTop;
    Object.assign(this, { drawn: state, drawnId: open.id });
    this.content.replaceChildren(...this.sections(open).filter(Boolean));
    this.content.scrollTop = isSame ? top : 0;
  }

  sections({ shopper = {}, packet = {}, acts = [] }) {
    return [
      this.section("matter", this.matter(packet)),
      this.section("collected", this.collected(packet)),
      this.section("verdict", this.verdict(packet)),
      this.section("acts", this.acts(acts)),
      this.section("shopper", this.shopper(shopper)),
      this.section("orders", (shopper.orders ?? []).map((order) => this.order(order))),
      this.section("returns", (shopper.returns ?? []).map((one) => this.oneReturn(one))),
      this.section("files", this.files(packet)),
      this.section("earlier", this.earlier(shopper)),
      this.section("consents", this.consents(shopper)),
    ];
  }

  section(name, inside) {
    const content = inside.filter(Boolean);
    if (!content.length) return null;
    const toggled = ({ target }) => (target.open ? this.folded.delete(name) : this.folded.add(name));
    return make("details", { class: "section", "data-section": name, open: !this.folded.has(name), toggle: toggled }, make("summary", {}, make("h3", {}, named("section", name))), content);
  }

  matter({ goal, reason, suspended, tried = [], ad }) {
    const facts = [
      [words.goal, goal?.title],
      [words.why_here, reason?.title],
      [words.suspended, suspended?.title],
      [words.ad, ad ? (ad.title ?? ad.headline ?? ad.body) : null],
    ];
    const steps = tried.length ? [make("h4", {}, words.tried), make("ul", { class: "plain-list" }, tried.map(({ title }) => make("li", { dir: "auto" }, title)))] : [];
    return [factList(facts), ...steps];
  }

  collected({ collected = [] }) {
    return collected.map(({ title, value, from, text, at }) =>
      make(
        "div",
        { class: "collected" },
        make("p", { class: "collected-title" }, title, from ? make("span", { class: "tag" }, named("from", from)) : null),
        make("p", { class: "collected-value", dir: "auto" }, shown(value)),
        text ? make("p", { class: "hint" }, make("q", { dir: "auto" }, text), at ? ` · ${dateTime(at)}` : "") : null,
      ),
    );
  }

  verdict({ verdict }) {
    if (!verdict) return [];
    return [
      make("p", { class: `verdict ${verdict.verdict}` }, make("strong", {}, named("verdict", verdict.verdict)), verdict.title ? `: ${verdict.title}` : ""),
      factList([
        [words.rule, verdict.rule && named("rule", verdict.rule)],
        [words.would_change, verdict.change],
      ]),
    ];
  }

  /** Where all are impossible for the same reason, it is said once. */
  acts(acts) {
    const [why, ...others] = [...new Set(acts.map((act) => (act.is_allowed ? null : whyNot(act))))];
    const isSame = acts.length > 1 && why && !others.length;
    const buttons = acts.map((act) => actButton(act, this.desk, isSame));
    return acts.length ? [isSame ? make("p", { class: "hint" }, why) : null, make("div", { class: "acts" }, buttons)] : [];
  }

  shopper({ customer, level, channels = [], points }) {
    const known = customer ?? {};
    return [
      make("p", { class: `level ${level}` }, named("level", level)),
      factList([
        [words.name, known.name],
        [words.customer_number, known.number],
        [words.email, known.email],
        [words.phone, known.phone],
        [words.tier, known.tier && named("tier", known.tier)],
        [words.since, known.since && date(known.since)],
        [words.language, known.language && languageName(known.language)],
        [words.points, points && number(points.balance)],
      ]),
      points?.expiring?.length ? make("ul", { class: "plain-list hint" }, points.expiring.map((each) => make("li", {}, expiry(each)))) : null,
      channels.length ? make("h4", {}, words.channels) : null,
      make("ul", { class: "plain-list" }, channels.map(({ channel, is_this }) => make("li", {}, named("channel", channel), is_this ? make("span", { class: "tag" }, words.this_one) : null))),
    ];
  }

  order({ number: name, placed_at, status, title, total, items = [], tracking }) {
    return make(
      "div",
      { class: "order" },
      make("p", { class: "order-head" }, make("strong", {}, name), make("span", { class: "tag" }, title ?? named("order", status)), make("span", { class: "gap" }), total ? money(total) : ""),
      make("p", { class: "hint" }, placed_at ? date(placed_at) : ""),
      make("ul", { class: "order-items", role: "list" }, items.map(item)),
      trackingLine(tracking),
    );
  }

  oneReturn({ rma_number, status, title, items = [], refund }) {
    const names = items.map((each) => (typeof each === "string" ? each : [each.quantity > 1 ? `${each.quantity} ×` : "", each.name].join(" "))).filter(Boolean);
    return make(
      "div",
      { class: "order" },
      make("p", { class: "order-head" }, make("strong", {}, rma_number), make("span", { class: "tag" }, title ?? named("return", status)), make("span", { class: "gap" }), refund ? money(refund.amount ?? refund) : ""),
      names.length ? make("p", { class: "hint" }, shown(names)) : null,
    );
  }

  files({ files = [] }) {
    const shownFiles = files.map(({ kind, name, address }) => ({ url: address, name, type: kind === "picture" || kind === "image" ? "image/" : kind }));
    return shownFiles.length ? [make("div", { class: "known-files" }, filesOf(shownFiles))] : [];
  }

  earlier({ earlier = [] }) {
    const one = ({ id, closed_at, reason, topic, resolution }) => {
      const facts = [topic && this.desk.topicName(topic), resolution ? resolutionName(this.desk.reasons, resolution) : reason && named("reason", reason)];
      return make("li", {}, make("a", { href: hashOf({ view: "closed", handoff: id }) }, closed_at ? date(closed_at) : `#${id}`), ` ${facts.filter(Boolean).join(" · ")}`);
    };
    return earlier.length ? [make("ul", { class: "plain-list" }, earlier.map(one))] : [];
  }

  consents({ consents = [] }) {
    const one = ({ purpose, channel, granted, at }) =>
      make("li", {}, `${named("purpose", purpose)} · ${named("channel", channel)}: `, make("strong", {}, granted ? words.granted : words.not_granted), at ? ` · ${date(at)}` : "");
    return consents.length ? [make("ul", { class: "plain-list" }, consents.map(one))] : [];
  }
}

/** How it ended: what somebody picked, or else the state that it came to. */
function resolutionName(reasons, name) {
  return reasons.some((each) => each.name === name) ? titled(reasons, name) : named("state", name);
}

function expiry(each) {
  return say("points_expire", { points: number(each.points), date: shown(each.on ?? each.at) });
}

function item({ name, quantity, picture }) {
  const address = webAddress(picture, location.origin);
  const image = address ? make("img", { src: address, alt: "", loading: "lazy", width: "40", height: "40" }) : null;
  return make("li", {}, image, make("span", { dir: "auto" }, name), quantity > 1 ? make("span", { class: "hint" }, ` × ${number(quantity)}`) : null);
}

function trackingLine(tracking) {
  if (!tracking) return null;
  const all = Array.isArray(tracking) ? tracking : [tracking];
  const texts = all.map((each) => (typeof each === "string" ? each : [each.carrier, each.number ?? each.tracking_number, each.status && named("shipment", each.status)].filter(Boolean).join(" · ")));
  return make("p", { class: "hint" }, `${words.tracking}: `, texts.join(", "));
}

/** Pairs of a name and a value; those without a value are left out. */
export function factList(facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.length ? make("dl", { class: "facts" }, known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { dir: "auto" }, String(value))])) : null;
}

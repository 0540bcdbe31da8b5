// How the agent learns of what happens while they look elsewhere: words on the page, the title, and what they have allowed.

import { callAttention, markTitle } from "../widget/attention.js";
import { time } from "./formats.js";
import { go } from "./places.js";
import { nameOf } from "./row.js";
import { toast } from "./toasts.js";
import { named, say, words } from "./words.js";

const URGENT = ["breached", "lost"];

export class Alerts {
  constructor(desk, memory) {
    Object.assign(this, { desk, memory, unread: new Map() });
    desk.on("alert", ({ detail }) => this.told(detail));
    desk.on("items", () => this.counted());
  }

  told({ kind, handoff, level, by, due_at }) {
    const item = this.desk.items.get(handoff);
    const name = item ? nameOf(item) : `#${handoff}`;
    const values = { name, by: by ?? "", level: level ? named("sla", level) : "", time: due_at ? time(due_at) : "" };
    const key = by && `alert_${kind}_by` in words ? `alert_${kind}_by` : `alert_${kind}`;
    const text = say(key, values);
    const open = () => go({ view: "mine", handoff });
    toast(text, { offer: { title: words.open, act: open }, isUrgent: URGENT.includes(kind), kind: URGENT.includes(kind) ? "bad" : "" });
    callAttention(this.memory, { title: words.title, text, open });
  }

  /** A message in one of theirs; the title has the number of what they have not read. */
  counted() {
    const mine = this.desk.all().filter((item) => item.assignee === this.desk.me.name && item.state === "assigned");
    const fresh = mine.find((item) => item.unread > (this.unread.get(item.id) ?? Infinity)); // that it is new to them is another alert
    this.unread = new Map(mine.map((item) => [item.id, item.unread ?? 0]));
    markTitle(mine.reduce((sum, item) => sum + (item.unread ?? 0), 0));
    if (!fresh || (document.hasFocus() && this.desk.open?.id === fresh.id)) return;
    const text = say("alert_message", { name: nameOf(fresh) });
    callAttention(this.memory, { title: words.title, text, open: () => go({ view: "mine", handoff: fresh.id }) });
  }
}

// What the shopper has written in the very moment in which the agent leaves: after a move that ends a conversation or puts it aside, nobody
// would answer it. The server is told what was seen before, and refuses where there is more; then that is shown, and may be pressed again.

import { make } from "../widget/dom.js";
import { entryElement } from "./entry.js";

export class LastWords {
  /** What is shown at this moment has been seen; what comes behind the dialog has not. `element`: for the dialog. */
  constructor(item, desk) {
    Object.assign(this, { item, desk, seen: idsOf(desk.shoppersWords) });
    this.element = make("div", { class: "last-words" });
  }

  /** As desk.move. */
  async move(path, body, guess) {
    try {
      await this.desk.move(this.item.id, path, { ...body, seen: this.seen }, guess);
    } catch (refusal) {
      if (refusal.code === "stale") await this.show();
      throw refusal;
    }
  }

  async show() {
    if (this.desk.open?.id !== this.item.id) return;
    await this.desk.reload();
    const written = this.desk.shoppersWords;
    const unseen = written.filter(({ id }) => !this.seen.includes(id));
    this.element.append(...unseen.map((entry) => entryElement(entry, this.desk, this.item)));
    this.seen = idsOf(written);
  }
}

function idsOf(entries) {
  return entries.map(({ id }) => id);
}

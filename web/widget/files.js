// Files that are to go with the next message: checked, uploaded at once with their progress, and taken back by a tap.

import { button, filled, iconButton, make } from "./dom.js";

const MB = 1_000_000;
const WHY = { too_large: "file_too_large", wrong_type: "file_wrong_type", too_many: "file_too_many" };

export class Files {
  /** `tell`: says something about a file that cannot be taken. */
  constructor(chat, words, tell) {
    Object.assign(this, { chat, words, tell });
    this.all = new Set(); // {element, sent?: what the assistant calls it, stop: AbortController}
    this.element = make("ul", { class: "staged", role: "list" });
  }

  get areUnderWay() {
    return [...this.all].some((each) => !each.sent && !each.hasFailed);
  }

  get ready() {
    return [...this.all].filter((each) => each.sent).map((each) => each.sent);
  }

  add(files) {
    const takes = this.chat.abilities?.files;
    if (!takes) return;
    this.tell("");
    for (const file of files) {
      if (takes.types.includes(file.type)) this.upload(file);
      else this.refuse(file, "wrong_type");
    }
  }

  /** The files for a message; after it none is left. */
  take() {
    const { ready } = this;
    for (const each of this.all) if (each.sent) this.drop(each);
    return ready;
  }

  async upload(file) {
    const one = { stop: new AbortController(), element: make("li", { part: "upload" }) };
    this.all.add(one);
    this.element.append(one.element);
    const bar = this.underWay(one, file);
    try {
      one.sent = await this.chat.upload(file, (share) => this.progress(bar, file, share), one.stop.signal);
      one.element.replaceChildren(make("span", { class: "name" }, file.name), this.remover(one, file));
    } catch (error) {
      this.failed(one, file, error.why);
    }
  }

  failed(one, file, why) {
    if (!this.all.has(one)) return; // it was taken back
    if (why in WHY) {
      this.drop(one);
      return this.refuse(file, why);
    }
    one.hasFailed = true;
    const again = () => {
      this.drop(one);
      this.upload(file);
    };
    const text = filled(this.words.file_not_now, { name: file.name });
    one.element.replaceChildren(button({ class: "mend", click: again }, text), this.remover(one, file));
  }

  underWay(one, file) {
    const bar = make("progress", { max: "1", value: "0" });
    one.element.replaceChildren(make("span", { class: "name" }, file.name), bar, this.remover(one, file));
    this.progress(bar, file, 0);
    return bar;
  }

  progress(bar, { name }, share) {
    bar.value = share;
    bar.setAttribute("aria-label", filled(this.words.uploading, { name, percent: Math.round(share * 100) }));
  }

  remover(one, { name }) {
    const remove = () => {
      one.stop.abort();
      this.drop(one);
    };
    return iconButton("close", filled(this.words.remove, { name }), { class: "plain small-round", click: remove });
  }

  drop(one) {
    this.all.delete(one);
    one.element.remove();
  }

  refuse({ name }, why) {
    const most = Math.floor((this.chat.abilities?.files?.most_bytes ?? 0) / MB);
    this.tell(filled(this.words[WHY[why]], { name, most }));
  }
}

// What comes up over the panel: questions, the way to WhatsApp, an enlarged picture. Escape or the other button closes it, and
// the focus goes back to where it was.

import { button, iconButton, link, make, webAddress } from "./dom.js";

/** Whether the shopper says yes. `panel`: all of it is out of reach until then. */
export function confirmed(panel, text, yes, no) {
  return new Promise((answer) => {
    const sheet = opened(panel, text, answer);
    sheet.answers.append(
      button({ click: () => sheet.close(false) }, no),
      button({ class: "strong", click: () => sheet.close(true) }, yes),
    );
    sheet.answers.firstChild.focus();
  });
}

/** The link with which the conversation goes on in WhatsApp. */
export function showWhatsApp(panel, address, words) {
  const sheet = opened(panel, words.whatsapp_how, () => undefined);
  const safe = webAddress(address);
  if (safe) sheet.answers.append(link(safe, { class: "strong", click: () => sheet.close() }, words.whatsapp_open));
  sheet.answers.prepend(button({ click: () => sheet.close() }, words.whatsapp_stay));
  sheet.answers.lastChild.focus();
}

/** A picture as large as the window allows. */
export function enlarge(root, address, name, words) {
  const close = () => box.close();
  const image = make("img", { src: address, alt: name });
  const closer = iconButton("close", words.close_picture, { click: close });
  const box = make("dialog", { class: "lightbox", part: "lightbox", "aria-label": name, click: close }, closer, image);
  box.addEventListener("close", () => box.remove());
  root.append(box);
  box.showModal();
}

function opened(panel, text, answer) {
  const others = [...panel.children];
  const before = panel.getRootNode().activeElement;
  const answers = make("div", { class: "answers" });
  const role = { role: "alertdialog", "aria-modal": "true", "aria-label": text };
  const inside = make("div", { class: "sheet", ...role }, make("p", {}, text), answers);
  const cover = make("div", { class: "cover", part: "sheet" }, inside);
  const close = (value) => {
    cover.remove();
    for (const each of others) each.inert = false;
    before?.focus();
    answer(value);
  };
  cover.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close(false);
  });
  cover.addEventListener("click", (event) => event.target === cover && close(false));
  for (const each of others) each.inert = true;
  panel.append(cover);
  return { answers, close };
}

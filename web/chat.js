// The chat page: what the shopper does, one message to the server at a time, and what came back.

import { bubble, button, element, mark } from "./bubbles.js";
import { change, forget, forgetConversation, keepLanguage, memory, onChangedElsewhere, recall, remember, settleInterrupted } from "./memory.js";
import { hangUp, say } from "./server.js";
import { languageOf, words } from "./words.js";

const page = Object.fromEntries(
  ["log", "welcome", "messages", "typing", "composer", "message", "language", "start-over", "sure", "ideas", "starters"].map(
    (id) => [id, document.getElementById(id)],
  ),
);
const handlers = { choose, mend };
let language = "";
let delivering = false;
const writtenHere = new Set(); // another tab's messages are that tab's to send

start();

function start() {
  recall();
  settleInterrupted();
  page.language.append(...Object.keys(words).map((code) => new Option(words[code].name, code)));
  page.language.addEventListener("change", () => speak(page.language.value, true));
  page.composer.addEventListener("submit", sendWritten);
  page.composer.querySelector("button").addEventListener("mousedown", (event) => event.preventDefault()); // keeps the phone's keyboard up
  page.message.addEventListener("keydown", sendOnEnter);
  page.message.addEventListener("input", fitToText);
  page["start-over"].addEventListener("click", askToStartOver);
  page.sure.addEventListener("close", () => page.sure.returnValue === "start-over" && startOver());
  onChangedElsewhere(drawAll);
  const chosen = Object.hasOwn(words, memory.language ?? "") ? memory.language : null;
  speak(chosen ?? languageOf(navigator.languages ?? [navigator.language]));
  backToWriting();
}

// --- Sending ---------------------------------------------------------------------------------------------------------

/** name: under which the server knows the message; a message that goes out again keeps it. */
function send(text, payload = text, name = undefined) {
  const message = remember({ from: "shopper", text, payload, name, state: "queued" });
  writtenHere.add(message.id);
  draw(message);
  deliverAll();
}

/** Sends what is queued, each after the reply to the one before. */
async function deliverAll() {
  if (delivering) return;
  delivering = true;
  page.typing.hidden = false;
  scrollToEnd();
  for (let next = queued(); next; next = queued()) await deliver(next);
  page.typing.hidden = true;
  delivering = false;
}

function queued() {
  return memory.messages.find(({ id, state }) => state === "queued" && writtenHere.has(id));
}

async function deliver({ id, payload, name = id }) {
  update(id, { state: "sending" });
  const { replies, problem, longest = 2000 } = await say(name, payload, language);
  if (!update(id, problem ? { state: problem, longest } : { state: "sent" })) return; // a new conversation began meanwhile
  for (const reply of replies ?? []) receive(reply);
  if (problem && problem !== "tooLong") holdBackTheRest();
}

/** What was written after a message that did not get through may make no sense without it. */
function holdBackTheRest() {
  for (let next = queued(); next; next = queued()) update(next.id, { state: "failed" });
}

function receive({ text, buttons, image, attachment }) {
  const usable = Array.isArray(buttons) ? buttons.filter((each) => each?.title && each.payload) : [];
  if (!text && !usable.length && !image && !attachment) return;
  draw(remember({ from: "shop", text: text && String(text), buttons: usable, image, attachment }));
}

// --- What the shopper does -------------------------------------------------------------------------------------------

function sendWritten(event) {
  event.preventDefault();
  const text = page.message.value.trim();
  page.message.focus();
  if (!text) return;
  page.message.value = "";
  fitToText();
  send(text);
}

function sendOnEnter(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) sendWritten(event);
}

function choose(id, index, event) {
  const { title, payload } = update(id, { chosen: index }).buttons[index];
  send(title, payload);
  backToWriting(event);
}

/** A message that failed goes out again, as the newest; one that is too long goes back to be shortened. */
function mend(id) {
  const { state, text, payload, name = id } = memory.messages.find((message) => message.id === id);
  forget(id);
  boxOf(id).remove();
  if (state === "tooLong") writeAgain(text);
  else send(text, payload, name);
  page.message.focus();
}

function writeAgain(text) {
  page.message.value = [text, page.message.value].filter(Boolean).join("\n");
  fitToText();
}

function askToStartOver() {
  if (memory.messages.length === 0) return backToWriting();
  page.sure.returnValue = "";
  page.sure.showModal();
}

function startOver() {
  hangUp();
  forgetConversation();
  drawAll();
  backToWriting();
}

/** On a phone the keyboard would jump up over the reply, so there only whoever uses keys is taken back to the input. */
function backToWriting(event) {
  const byKey = event?.detail === 0;
  if (byKey || matchMedia("(pointer: fine)").matches) page.message.focus();
}

// --- Drawing ---------------------------------------------------------------------------------------------------------

function speak(code, byChoice = false) {
  language = code;
  if (byChoice) keepLanguage(code);
  document.documentElement.lang = code;
  page.language.value = code;
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = words[code][each.dataset.word];
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", words[code][each.dataset.label]);
  for (const each of document.querySelectorAll("[data-hint]")) {
    each.setAttribute(each === page.message ? "placeholder" : "title", words[code][each.dataset.hint]);
  }
  for (const list of [page.ideas, page.starters]) list.replaceChildren(...words[code].ideas.map(idea));
  drawAll();
}

function idea(text) {
  const item = element("li");
  item.append(
    button("idea", text, (event) => {
      send(text);
      backToWriting(event);
    }),
  );
  return item;
}

function drawAll() {
  page.log.setAttribute("aria-busy", "true"); // what was said before is not news
  page.messages.replaceChildren(...memory.messages.map((message) => bubble(message, words[language], handlers)));
  page.log.dataset.empty = memory.messages.length === 0;
  scrollToEnd();
  page.log.removeAttribute("aria-busy");
}

function draw(message) {
  const follow = message.from === "shopper" || isAtEnd();
  const box = bubble(message, words[language], handlers);
  page.messages.append(box);
  page.log.dataset.empty = "false";
  if (!follow) return; // the shopper is reading further up
  scrollToEnd();
  box.querySelector("img")?.addEventListener("load", scrollToEnd);
}

function update(id, changes) {
  const message = change(id, changes);
  const box = boxOf(id);
  if (message && box) mark(box, message, words[language], handlers);
  return message;
}

function boxOf(id) {
  return page.messages.querySelector(`[data-id="${CSS.escape(id)}"]`);
}

function isAtEnd() {
  return page.log.scrollHeight - page.log.scrollTop - page.log.clientHeight < 80;
}

function scrollToEnd() {
  page.log.scrollTop = page.log.scrollHeight;
}

function fitToText() {
  page.message.style.height = "auto";
  page.message.style.height = `${page.message.scrollHeight}px`;
}

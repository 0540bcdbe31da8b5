// Questions that come up over the page: a native dialog with a form in it. Escape and "Cancel" leave everything as it is.

import { button, iconButton, make } from "../widget/dom.js";
import { inWords } from "./api.js";
import { words } from "./words.js";

let count = 0;

/**
 * `content`: {title, text?, inside?: nodes, fields?: of `field`, below?: nodes, yes?, isGrave?, wide?}. `act(values)`: what "yes" does; it is awaited, and what
 * it throws is said in the dialog, which stays. Resolves once the dialog is closed: whether `act` was done.
 */
export function opened({ title, text, inside = [], fields = [], below = [], yes, isGrave, wide }, act) {
  return new Promise((resolve) => {
    const id = `dialog-${++count}`;
    const fault = make("p", { class: "fault", role: "alert" });
    const doing = yes ? button({ class: isGrave ? "grave" : "strong", type: "submit" }, yes) : null;
    const cancel = button({ class: "soft", click: () => box.close() }, yes ? words.cancel : words.close);
    const form = make(
      "form",
      { novalidate: true, submit: (event) => submitted(event) },
      make("div", { class: "dialog-head" }, make("h2", { id }, title), iconButton("close", words.close, { class: "plain", click: () => box.close() })),
      text ? make("p", { class: "lead" }, text) : null,
      inside,
      fields.map((one) => one.element),
      below,
      fault,
      make("div", { class: "answers" }, cancel, doing),
    );
    const box = make("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": id }, form);
    let isDone = false;
    const submitted = async (event) => {
      event.preventDefault();
      if (!isValid(fields) || !doing || doing.disabled) return;
      doing.disabled = true;
      fault.textContent = "";
      try {
        const stays = await act(Object.fromEntries(fields.map((one) => [one.name, one.read()])), box);
        isDone = true;
        if (stays !== "stays") box.close();
      } catch (refusal) {
        fault.textContent = inWords(refusal);
      }
      doing.disabled = false;
    };
    const before = document.activeElement;
    box.addEventListener("close", () => {
      box.remove();
      if (before?.isConnected) before.focus();
      resolve(isDone);
    });
    box.addEventListener("click", (event) => event.target === box && box.close());
    document.body.append(box);
    box.showModal();
    (fields[0]?.input ?? doing ?? cancel).focus();
  });
}

function isValid(fields) {
  const wrong = fields.filter((one) => !one.check());
  wrong[0]?.input.focus();
  return wrong.length === 0;
}

/**
 * A named field of a form: {element, name, input, read(), check()}. `given`: {name, label, type: "text" | "long" | "number" | "choice" | "many" | "date" |
 * "instant" | "password" | "check" | "radios", value?, choices?: [{value, title, hint?}], required?, hint?, most?, ...attributes}.
 */
export function field(given) {
  const id = `field-${++count}`;
  const { name, label, type, hint, required, value, choices, check: agrees, ...rest } = given;
  const said = make("p", { class: "fault", id: `${id}-fault` });
  const below = hint ? make("p", { class: "hint", id: `${id}-hint` }, hint) : null;
  const described = [`${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(" ");
  const attributes = { id, name, required, "aria-describedby": described, ...rest };
  const made = (MAKERS[type] ?? MAKERS.text)({ id, name, label, value, choices, attributes, type });
  const check = () => {
    const isMissing = required && (made.read() ?? "").length === 0; // a text, or a list
    const problem = isMissing ? words.field_missing : (agrees?.(made.read()) ?? (made.input.validity?.valid === false ? words.field_wrong : ""));
    said.textContent = problem;
    for (const input of made.inputs ?? [made.input]) input.setAttribute("aria-invalid", String(Boolean(problem)));
    return !problem;
  };
  const title = made.hasOwnLabel ? null : make("label", { for: id }, label, required ? null : make("span", { class: "hint" }, ` ${words.optional}`));
  return { name, check, ...made, element: make("div", { class: `field is-${type}` }, title, made.box ?? made.input, below, said) };
}

const MAKERS = {
  text: (given) => plain(given, { type: given.type === "text" ? "text" : given.type, autocomplete: "off" }),
  password: (given) => plain(given, { type: "password" }),
  number: (given) => plain(given, { type: "number", step: "any", inputmode: "decimal" }),
  date: (given) => plain(given, { type: "date" }),
  instant: (given) => plain(given, { type: "datetime-local" }),
  long: ({ attributes, value }) => {
    const input = make("textarea", { rows: "3", dir: "auto", ...attributes }, value ?? "");
    return { input, read: () => input.value.trim() };
  },
  choice: ({ attributes, value, choices }) => {
    const options = choices.map((each) => make("option", { value: each.value, selected: each.value === value }, each.title));
    const empty = value === undefined ? make("option", { value: "" }, words.choose) : null;
    const input = make("select", attributes, empty, options);
    return { input, read: () => input.value };
  },
  check: ({ attributes, value, label }) => {
    const input = make("input", { type: "checkbox", ...attributes, checked: value });
    return { input, read: () => input.checked, box: make("label", { class: "tick" }, input, label), hasOwnLabel: true };
  },
  many: ({ name, label, choices, attributes }) => {
    const inputs = choices.map((each) => make("input", { type: "checkbox", value: each.value, "aria-describedby": attributes["aria-describedby"] }));
    const rows = choices.map((each, index) => make("label", { class: "tick" }, inputs[index], make("span", { dir: "auto" }, each.title)));
    const box = make("fieldset", { "data-name": name }, make("legend", {}, label), rows);
    const read = () => inputs.filter((each) => each.checked).map((each) => each.value);
    return { input: inputs[0] ?? box, inputs, box, hasOwnLabel: true, read };
  },
  radios: ({ id, name, label, value, choices, attributes }) => {
    const { required, "aria-describedby": described } = attributes;
    const inputs = choices.map((each) => make("input", { type: "radio", name: id, value: each.value, checked: each.value === value, required, "aria-describedby": described }));
    const rows = choices.map((each, index) =>
      make("label", { class: "tick" }, inputs[index], make("span", {}, make("span", { dir: "auto" }, each.title), each.hint ? make("span", { class: "hint" }, each.hint) : null)),
    );
    const box = make("fieldset", { "data-name": name }, make("legend", {}, label), rows);
    return { input: inputs[0], inputs, box, hasOwnLabel: true, read: () => inputs.find((each) => each.checked)?.value ?? "" };
  },
};

function plain({ attributes, value }, own) {
  const input = make("input", { ...own, ...attributes, value });
  return { input, read: () => input.value.trim() };
}

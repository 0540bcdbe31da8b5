// A conversation as plain text, to keep.

/** See Chat.transcript. */
export function transcript(entries, words, when = (at) => at.slice(0, 16).replace("T", " ")) {
  return entries.map((entry) => `${when(entry.at)}  ${line(entry, words)}\n`).join("");
}

function line(entry, words) {
  if (entry.by === "shop") return `* ${words.events?.[entry.event] ?? entry.event}`;
  const said = entry.parts ? entry.parts.flatMap(partLines) : shopperLines(entry, words);
  return `${entry.name ?? words[entry.by]}: ${said.filter(Boolean).join("\n    ")}`;
}

function shopperLines({ text, files = [], place }, words) {
  const where = place && `${words.place ?? ""} ${place.latitude}, ${place.longitude}`.trim();
  return [text, where, ...files.map(({ name }) => `[${name}]`)];
}

function partLines({ header, text, footer, kind, name, address, url, title, choices, cards, people }) {
  return [
    header,
    text,
    kind === "file" && `[${name}]`,
    kind === "place" && [name, address].filter(Boolean).join(", "),
    kind === "link" && `${title} ${url}`,
    ...(choices ?? []).map((choice) => `( ) ${choice.title}`),
    ...(cards ?? []).flatMap(cardLines),
    ...(people ?? []).map((person) => [person.name, ...(person.phones ?? []), ...(person.emails ?? [])].join(" ")),
    footer,
  ];
}

function cardLines({ text, choices, links }) {
  return [...partLines({ text, choices }), ...(links ?? []).map(({ title, url }) => `${title} ${url}`)];
}

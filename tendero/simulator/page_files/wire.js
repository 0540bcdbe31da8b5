// The simulator's controls.

const ROOT = "/_simulator";

/** What the server says; an error in words where it says no. */
export async function ask(path, body) {
  const sent = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const answer = await fetch(`${ROOT}/${path}`, sent).catch(() => null);
  if (!answer) throw new Error("The simulator has ended. Start it again in the terminal.");
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

export const shopper = (key, path = "") => `shoppers/${encodeURIComponent(key)}${path}`;

/** Calls `show(state)` with every change, until the page is closed. `which()` says whose chat is wanted. */
export async function follow(which, show, told) {
  for (let version = -1; ;) {
    const asked = which();
    try {
      const state = await ask(`state?since=${version}&shopper=${encodeURIComponent(asked)}`);
      version = asked === which() ? state.version : -1; // somebody else was chosen meanwhile: ask again at once
      if (asked === which()) show(state);
    } catch (error) {
      told(error.message);
      version = -1;
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}

/** A file as the controls take it. */
export async function asFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let from = 0; from < bytes.length; from += 0x8000) text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
  return { content: btoa(text), type: file.type || "application/octet-stream", name: file.name };
}

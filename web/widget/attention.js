// How the shopper learns of a message while looking elsewhere: only in the ways that they have allowed (the page, for its title).

let audio = null;

/** `key`: "sound" or "notifications". `memory`: of memory.js. */
export function isAllowed(memory, key) {
  return memory.get(key) === "on" && (key !== "notifications" || globalThis.Notification?.permission === "granted");
}

/** Asks the browser where it has to. False where the browser does not let us. */
export async function allow(memory, key, isOn) {
  if (isOn && key === "notifications") {
    const answer = await globalThis.Notification?.requestPermission();
    if (answer !== "granted") return false;
  }
  memory.set(key, isOn ? "on" : null);
  if (isOn && key === "sound") ring();
  return true;
}

/** A message has come. `notice`: {title, text, open()}. */
export function callAttention(memory, notice) {
  if (isAllowed(memory, "sound")) ring();
  if (!isAllowed(memory, "notifications") || document.visibilityState === "visible") return;
  try {
    const shown = new Notification(notice.title, { body: notice.text, tag: "tendero" });
    shown.addEventListener("click", () => {
      window.focus();
      notice.open();
      shown.close();
    });
  } catch {
    // Android's browsers want a service worker for it, which is the shop's to have.
  }
}

/** "(2) Shop": puts the number of unread messages before the page's title, and takes it away. */
export function markTitle(count) {
  const bare = document.title.replace(/^\(\d+\) /, "");
  const title = count ? `(${count}) ${bare}` : bare;
  if (title !== document.title) document.title = title;
}

/** Two soft notes, made here: no file has to be loaded. */
function ring() {
  try {
    audio ??= new AudioContext();
    audio.resume();
    for (const [tone, after] of [[659, 0], [880, 0.12]]) {
      const [source, loudness] = [audio.createOscillator(), audio.createGain()];
      const at = audio.currentTime + after;
      source.frequency.value = tone;
      loudness.gain.setValueAtTime(0.08, at);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
      source.connect(loudness).connect(audio.destination);
      source.start(at);
      source.stop(at + 0.3);
    }
  } catch {
    // A device without sound.
  }
}

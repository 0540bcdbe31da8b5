// The words of the widget come from the assistant (data/widget/<language>.yml), in the first language that it has.

const ALIKE = { no: "nb", nn: "nb" }; // whoever reads Norwegian of another name reads this one
const LAST = "en";

/** {language, words}. `wanted`: language tags ("es-MX", ...), the best first. Rejects where none can be had. */
export async function wordsFor(server, wanted, folder = "webhooks/webchat/v1/words/") {
  const tags = [...wanted, LAST].filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  const languages = new Set(tags.map((tag) => ALIKE[tag] ?? tag).filter((tag) => /^[a-z]{2,3}$/.test(tag)));
  for (const language of languages) {
    const response = await fetch(new URL(`${folder}${language}.json`, server), { credentials: "omit" });
    if (response.ok) return { language, words: await response.json() };
    if (response.status !== 404) break;
  }
  throw new Error("The chat's words cannot be had");
}

// Words. In: a sentence in English. Out: the same in the page's language, which the page carries along. Scripts speak
// English where the page carries none.

const LANGUAGE = document.documentElement.lang || "en";
const data = document.getElementById("words");
const words = data ? JSON.parse(data.textContent) : {};

/** What Intl writes numbers and dates like. English is written as in Europe, and whatever is mirrored is English. */
export const locale = LANGUAGE.startsWith("en") ? "en-GB" : LANGUAGE;

/** A sentence with its values filled in: %(name)s. */
export function say(text, values = {}) {
  return (words[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? "");
}

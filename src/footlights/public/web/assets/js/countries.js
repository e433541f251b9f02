// Countries. The browser knows their names in every language: none of them travel with the page.

import { locale } from "./words.js";

const names = new Intl.DisplayNames([locale], { type: "region" });

export function showCountryNames(root) {
  for (const place of root.querySelectorAll("[data-country]")) place.textContent = names.of(place.dataset.country);
}

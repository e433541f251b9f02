// Countries. The browser knows their names in every language: none of them travel with the page.

const names = new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "region" });

export function showCountryNames(root) {
  for (const place of root.querySelectorAll("[data-country]")) place.textContent = names.of(place.dataset.country);
}

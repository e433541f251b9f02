// Map. In: the table of countries below it. Out: a map that glows where it can be told that viewers are. A country of
// which too few can be told stays dark, as one of which nothing is known does: the list says which.

let world;

export async function drawMaps() {
  for (const frame of document.querySelectorAll("[data-map]")) {
    const rows = [...frame.closest("section").querySelectorAll("tr[data-viewers]")];
    if (!rows.length) continue;
    world ??= fetch(frame.dataset.map).then((answer) => answer.text());
    const map = new DOMParser().parseFromString(await world, "image/svg+xml").documentElement;
    const most = Math.max(1, ...rows.map((row) => Number(row.dataset.viewers)));
    for (const row of rows) {
      const shape = map.getElementById(row.dataset.code);
      if (!shape) continue;
      shape.setAttribute("class", "told");
      shape.setAttribute("fill-opacity", (0.16 + 0.84 * Math.sqrt(row.dataset.viewers / most)).toFixed(2));
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = [...row.cells].map((cell) => cell.textContent.trim()).join(": ").replace(/: ([^:]*)$/, " ($1)");
      shape.append(title);
    }
    frame.replaceChildren(map);
  }
}

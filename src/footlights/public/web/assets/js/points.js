// Points. A chart is drawn from the very table that is printed below it, so the two cannot disagree.

/** The rows of a chart's table: moment or position in ms, value (null: too few to say), ends of the interval. */
export function pointsOf(figure) {
  return [...figure.querySelectorAll("tr[data-point]")].map((row) => {
    const [at, value, low, high] = row.dataset.point.split(",").map(Number);
    const cells = [...row.querySelectorAll("td")];
    const number = cells[0].textContent.trim();
    const interval = (row.querySelector("[data-interval]") ?? cells[1]).textContent.trim();
    const name = row.querySelector("th").textContent;
    return { name, at: at * 1000, value: ["ok", "stated"].includes(row.dataset.state) ? value : null, low, high, number, interval, open: "open" in row.dataset };
  });
}

/** The inner band of a forecast: moment in ms, and the ends between which half of all lie. */
export function innerOf(figure) {
  return [...figure.querySelectorAll("tr[data-half]")].map((row) => {
    const [low, high] = row.dataset.half.split(",").map(Number);
    return { at: Number(row.dataset.point.split(",")[0]) * 1000, low, high };
  });
}

/** What earlier videos had at the same ages: moment in ms, and the ends and the middle of their middle half. */
export function typicalOf(figure) {
  return [...figure.querySelectorAll("tr[data-typical]")].map((row) => {
    const [at, low, middle, high] = row.dataset.typical.split(",").map(Number);
    return { at: at * 1000, low, middle, high };
  });
}

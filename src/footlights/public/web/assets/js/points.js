// Points. A chart is drawn from the very table that is printed below it, so the two cannot disagree.

/** The rows of a chart's table: moment or position in ms, value (null: too few to say), ends of the interval. */
export function pointsOf(figure) {
  return [...figure.querySelectorAll("tr[data-point]")].map((row) => {
    const [at, value, low, high] = row.dataset.point.split(",").map(Number);
    const [number, interval] = [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim());
    const name = row.querySelector("th").textContent;
    return { name, at: at * 1000, value: ["ok", "stated"].includes(row.dataset.state) ? value : null, low, high, number, interval, open: "open" in row.dataset };
  });
}

/** What earlier videos had at the same ages: moment in ms, and the ends and the middle of their middle half. */
export function typicalOf(figure) {
  return [...figure.querySelectorAll("tr[data-typical]")].map((row) => {
    const [at, low, middle, high] = row.dataset.typical.split(",").map(Number);
    return { at: at * 1000, low, middle, high };
  });
}

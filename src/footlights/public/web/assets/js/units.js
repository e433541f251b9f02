// Units. Short labels for an axis; whole numbers with their intervals are in the table and the tooltip.

import { locale, say } from "./words.js";

const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });

const WRITERS = {
  seconds: (n) => (n < 120 ? `${n} s` : n < 7200 ? `${Math.round(n / 60)} min` : `${compact.format(Math.round(n / 360) / 10)} ${say("h")}`),
  milliseconds: (n) => (n < 120000 ? `${compact.format(n / 1000)} s` : minutes(Math.round(n / 1000))),
  basis_points: (n) => `${compact.format(n / 100)} %`,
};

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;

export function axisLabel(unit) {
  return WRITERS[unit] ?? ((n) => compact.format(n));
}

/** Steps of an axis that read well: whole hours rather than 1,000 seconds. */
export function axisInterval(unit, highest) {
  if (unit === "milliseconds") return highest < 120000 ? undefined : 1000 * axisInterval("seconds", highest / 1000);
  if (unit !== "seconds") return undefined;
  const base = highest < 120 ? 1 : highest < 28800 ? 60 : 3600;
  const rough = highest / base / 4;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const nice = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power * 10;
  return nice * base;
}

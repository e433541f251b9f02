// World. In: Natural Earth's countries (world-atlas, 1:50 million). Out: an SVG, a path a country, named by its ISO code.
// Projected here and not in the browser: a page needs no map library, and its policy forbids none of this.

import { createRequire } from "node:module";
import { geoNaturalEarth1, geoPath } from "d3-geo";
import countries from "i18n-iso-countries";
import { feature } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

const WIDTH = 960;
const HEIGHT = 470;
/** Of what is left out, the largest: a quarter of a pixel. Islands stay, as every country must be there. */
const WEIGHT = 0.02;
const ANTARCTICA = "010";

export function world() {
  const atlas = createRequire(import.meta.url)("world-atlas/countries-50m.json");
  const shapes = feature(simplify(presimplify(atlas), WEIGHT), atlas.objects.countries);
  shapes.features = shapes.features.filter(({ id }) => id !== ANTARCTICA);
  const path = geoPath(geoNaturalEarth1().fitSize([WIDTH, HEIGHT], shapes)).digits(1);
  const named = new Set();
  // Largest first: an outlying territory that the atlas draws apart has its country's number, and an id stands once.
  const shapesBySize = shapes.features.toSorted((one, other) => path.area(other) - path.area(one));
  const paths = shapesBySize.map((shape) => {
    const known = countries.numericToAlpha2(shape.id ?? "") ?? "";
    const code = named.has(known) ? "" : known;
    named.add(code);
    return `<path${code && ` id="${code}"`} d="${path(shape) ?? ""}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">${paths.join("")}</svg>`;
}

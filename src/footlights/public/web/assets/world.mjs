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
  const paths = shapes.features.map((shape) => {
    const code = countries.numericToAlpha2(shape.id ?? "") ?? "";
    return `<path${code && ` id="${code}"`} d="${path(shape) ?? ""}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">${paths.join("")}</svg>`;
}

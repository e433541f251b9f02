// App. What every page loads: htmx, and the charts where there are any.

import "htmx.org";
import { showCountryNames } from "./countries.js";
import { offerOptOut } from "./optout.js";
import { watchStates } from "./states.js";
import { showLocalTimes } from "./times.js";
import "./verify.js";

async function draw() {
  showLocalTimes(document);
  showCountryNames(document);
  if (document.querySelector("[data-chart]")) {
    const { drawAll } = await import("./charts.js");
    drawAll();
  }
  if (document.querySelector("[data-map]")) {
    const { drawMaps } = await import("./map.js");
    drawMaps();
  }
  if (document.querySelector("[data-room]")) {
    const { watchRoom } = await import("./room.js");
    watchRoom();
  }
  if (document.querySelector("[data-passkey]")) {
    const { offerPasskeys } = await import("./passkeys.js");
    offerPasskeys();
  }
}

draw();
offerOptOut();
watchStates();
document.addEventListener("htmx:after:swap", draw);

// Tooltip. In: a point, and whether it has a place in the video rather than in time. Out: a DOM node. Built node by node: markup with inline styles would break the page's policy.

import { locale, say } from "./words.js";

const moment = new Intl.DateTimeFormat(locale, {
  timeZone: "UTC", weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});

export function tooltipOf(point, { exact, placed }) {
  const box = node("div", "tip-box");
  box.append(node("div", "tip-when", placed ? point.name : `${moment.format(point.at)} UTC${point.open ? `, ${say("so far")}` : ""}`));
  if (point.value === null) {
    box.append(node("div", "tip-range", point.interval), node("div", "tip-note", say("too few to say more")));
  } else {
    box.append(node("div", "tip-number", point.number));
    box.append(node("div", "tip-note", exact ? point.interval : `${point.interval}, 95 %`));
  }
  return box;
}

function node(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

// States. In: what htmx asks for and what comes back, and whether there is a network. Out: a line that says so, to eyes
// and to screen readers, and figures that renew themselves once they can.
//
// What failed is never put in the place of figures: those stay, with their age said.

import htmx from "htmx.org";
import { locale, say } from "./words.js";

const QUIET_MS = 700;
const LONG_MS = 8000;
const AGAIN_MS = 5000;
const PAGE_AGAIN_MS = 10_000;
const KEPT_MS = 4000;
const ago = new Intl.RelativeTimeFormat(locale, { numeric: "always" });

const line = document.getElementById("state");
let waiting = 0;
let timers = [];
let asking = 0;
let away = false;
let showing = "";

export function watchStates() {
  if (!line) return;
  document.addEventListener("htmx:before:request", begun);
  document.addEventListener("htmx:before:response", elsewhere);
  document.addEventListener("htmx:response:error", (event) => broken(event.detail.ctx.response.status));
  document.addEventListener("htmx:error", (event) => event.detail.ctx && lost());
  document.addEventListener("htmx:finally:request", ended);
  addEventListener("offline", lost);
  addEventListener("online", askAgain);
  if (!navigator.onLine) lost();
  waitForPage();
}

/** A page that could not be made yet is asked for until it can. */
function waitForPage() {
  const words = document.querySelector("[data-again]");
  if (!words) return;
  words.hidden = false;
  setInterval(async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) location.reload();
    } catch {
      // Nobody answers: it is asked again.
    }
  }, PAGE_AGAIN_MS);
}

function begun() {
  waiting += 1;
  if (waiting > 1 || away) return;
  timers = [
    setTimeout(() => tell("loading", say("Loading …")), QUIET_MS),
    setTimeout(() => tell("slow", say("This takes long. What you see is as of %(at)s.", seen())), LONG_MS),
  ];
}

function ended(event) {
  waiting = Math.max(0, waiting - 1);
  if (waiting === 0) timers.forEach(clearTimeout);
  const { response } = event.detail.ctx;
  if (response?.status < 400) back();
  else if (["loading", "slow"].includes(showing)) tell("", "");
}

/** A session that is over leads to the page to sign in on: whole, not in the place of the figures. */
function elsewhere(event) {
  const { raw } = event.detail.ctx.response;
  if (!raw.redirected) return;
  event.preventDefault();
  location.assign(raw.url);
}

function broken(status) {
  away = true;
  tell("broken", say("The server did not answer as it should (%(status)s). What you see is as of %(at)s.", { status, ...seen() }));
  later();
}

function lost() {
  away = true;
  if (navigator.onLine) {
    tell("broken", say("The server cannot be reached. What you see is as of %(at)s. It is asked again by itself.", seen()));
  } else if (moment()) {
    tell("offline", say("You are offline. What you see is as of %(at)s (%(age)s); it renews itself when you are back.", seen()));
  } else {
    tell("offline", say("You are offline. This page renews itself when you are back."));
  }
  later();
}

function back() {
  if (!away) {
    if (showing) tell("", "");
    return;
  }
  away = false;
  clearTimeout(asking);
  tell("back", say("Figures are up to date again."));
  setTimeout(() => showing === "back" && tell("", ""), KEPT_MS);
}

function later() {
  clearTimeout(asking);
  asking = setTimeout(askAgain, AGAIN_MS);
}

/** Ask for the page anew, if it is one that renews itself; else only whether anybody answers. */
async function askAgain() {
  if (!navigator.onLine) return lost();
  const main = document.querySelector("main[hx-get]");
  if (main) return htmx.ajax("GET", main.getAttribute("hx-get"), { source: main, target: "#main", select: "#main", swap: "outerMorph" });
  try {
    const answer = await fetch("/livez", { cache: "no-store" });
    if (answer.ok) return back();
  } catch {
    // Nobody answers: it is said, and asked again.
  }
  lost();
}

function moment() {
  return document.querySelector(".clock time[datetime]");
}

/** How old the figures on the screen are. */
function seen() {
  const time = moment();
  if (!time) return { at: "–", age: "–" };
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 60_000));
  const [size, unit] = minutes < 120 ? [1, "minute"] : minutes < 2880 ? [60, "hour"] : [1440, "day"];
  return { at: time.textContent.trim(), age: ago.format(-Math.floor(minutes / size), unit) };
}

function tell(kind, text) {
  showing = kind;
  line.hidden = !kind;
  line.dataset.kind = kind;
  document.documentElement.toggleAttribute("data-away", away);
  if (line.textContent !== text) line.textContent = text;
}

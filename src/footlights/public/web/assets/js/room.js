// Room. In: the ticks of a live session, as the server sends them. Out: the host's page, moving with them: the big
// number, reactions as they rise, the line of the last half hour. A figure never moves without its interval.
//
// What is not of every tick (audience, moments, questions) the page asks for as a whole, each minute.

import htmx from "htmx.org";
import { drawAll } from "./charts.js";
import { back, lost } from "./states.js";
import { calm } from "./theme.js";
import { locale, say } from "./words.js";

const LINE_EVERY = 5;
const LINE_POINTS = 180;
const SPOKEN_MS = 10_000;
const LOST_MS = 6000;
const WAIT_MS = 1000;
const WAIT_MOST_MS = 20_000;
/** A stream with no sign of life for so long is dead, whatever the browser thinks: the server gives one every 15 s. */
const SILENT_MS = 40_000;
const FLY_MS = 2600;
const FLY_MOST = 4;

const number = new Intl.NumberFormat(locale);
const decimal = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

let stream = null;
let seen = 0;
let heard = 0;
let spoken = 0;
let wait = WAIT_MS;
let coming = 0;
let losing = 0;
let before = {};

const room = () => document.querySelector("[data-room]");

/** Follow the room of this page. Safe to call again after the page was renewed. */
export function watchRoom() {
  showClock();
  if (stream || coming) return;
  seen = Number(room().dataset.tick);
  connect();
  setInterval(showClock, 1000);
  setInterval(checkSilence, 5000);
  addEventListener("online", again);
}

function connect() {
  coming = 0;
  if (!room()) return;
  heard = Date.now();
  stream = new EventSource(`${room().dataset.room}?after=${seen}`);
  stream.onopen = () => {
    heard = Date.now();
    wait = WAIT_MS;
    clearTimeout(losing);
    losing = 0;
    well();
  };
  // Every stream ends after ten minutes and is asked for again: that is nothing to speak of.
  stream.onerror = () => {
    losing ||= setTimeout(lost, LOST_MS);
    if (stream.readyState === EventSource.CLOSED) later();
  };
  stream.addEventListener("tick", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("room", renew);
  stream.addEventListener("gap", renew);
  stream.addEventListener("end", over);
}

/** What was on its way when the network went says nothing about now. */
function well() {
  if (navigator.onLine) back();
}

/** Refused, and the browser asks no more: asked again after a while, twice as long each time, each page another. */
function later() {
  stream?.close();
  stream = null;
  if (coming) return;
  coming = setTimeout(connect, wait * (0.5 + crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32));
  wait = Math.min(2 * wait, WAIT_MOST_MS);
}

function again() {
  clearTimeout(coming);
  stream?.close();
  stream = null;
  connect();
}

function checkSilence() {
  if (!stream || Date.now() - heard < SILENT_MS) return;
  lost();
  again();
}

function renew() {
  const main = document.querySelector("main[hx-get]");
  if (main) htmx.ajax("GET", main.getAttribute("hx-get"), { source: main, target: "#main", select: "#main", swap: "outerMorph" });
}

/** It is over: the replay is at the same address. */
function over() {
  stream.close();
  location.reload();
}

function take(tick) {
  heard = Date.now();
  if (tick.tick <= seen || !room()) return;
  well();
  seen = tick.tick;
  room().dataset.tick = seen;
  const at = document.querySelector("[data-as-of]");
  at.dateTime = tick.as_of;
  at.textContent = `${tick.as_of.slice(11, 19)} UTC`;
  at.parentElement.hidden = false;
  tellCrowd(tick.figures.concurrent_viewers, tick.fewer_than);
  tellReactions(tick);
  for (const [name, figure] of Object.entries({ ...tick.figures, chat_last_minute: tick.chat_last_minute })) {
    const card = document.querySelector(`.card[data-figure="${name}"]`);
    if (card) tell(card, figure);
  }
  addPoint(tick);
  speak(tick);
}

// ---- The number

function tellCrowd(figure, fewerThan) {
  const place = document.querySelector('.huge[data-figure="concurrent_viewers"]');
  const banded = fewerThan !== null;
  document.querySelector("[data-why]").hidden = !banded;
  document.querySelector("[data-sure]").hidden = banded;
  const text = banded ? say("fewer than %(limit)s", { limit: number.format(fewerThan) }) : amount(figure);
  write(place, text, banded ? "" : span(figure));
  place.dataset.signs = text.length;
  place.querySelector(".number").className = `number${banded ? " is-band" : ""}`;
  drawBeam(document.querySelector('[data-beam="concurrent_viewers"]'), figure, figure.high * 1.25);
}

// ---- Reactions

function tellReactions(tick) {
  const rows = [...document.querySelectorAll(".reactions li[data-figure]")];
  const figures = rows.map((row) => tick.figures[row.dataset.figure]);
  const telling = figures.filter((figure) => figure.state === "ok");
  const most = 1.04 * Math.max(1, ...(telling.length ? telling : figures).map((figure) => figure.high));
  rows.forEach((row, place) => {
    const figure = figures[place];
    row.classList.toggle("vague", figure.state !== "ok");
    write(row, figure.state === "ok" ? amount(figure) : "–", span(figure));
    drawBeam(row.querySelector(".beam"), figure, most);
    rise(row, figure);
  });
}

/** What came since the last tick rises, if it is more than noise. A new minute begins at nothing. */
function rise(row, figure) {
  const had = before[figure.metric] ?? figure.value;
  before[figure.metric] = figure.value;
  const more = figure.value - had;
  const noise = (figure.high - figure.low) / 2;
  if (calm.matches || document.hidden || more <= noise) return;
  const sky = document.querySelector("[data-sky]");
  const count = Math.min(FLY_MOST, Math.ceil(more / noise));
  for (let i = 0; i < count; i += 1) {
    const spark = row.querySelector(".icon").cloneNode(true);
    spark.className = "spark-up";
    sky.append(spark);
    const left = row.offsetLeft + 24 + 22 * i;
    const from = row.offsetTop;
    spark.animate(
      [
        { transform: `translate(${left}px, ${from}px) scale(0.7)`, opacity: 0 },
        { opacity: 1, offset: 0.2 },
        { transform: `translate(${left + (i % 2 ? 14 : -14)}px, ${from - 110}px) scale(1.2)`, opacity: 0 },
      ],
      { duration: FLY_MS, delay: 140 * i, easing: "ease-out", fill: "both" },
    ).finished.finally(() => spark.remove());
  }
}

// ---- The line

function addPoint(tick) {
  const body = document.querySelector(".chart[data-chart] table tbody");
  if (!body) return;
  const figure = tick.figures.concurrent_viewers;
  const last = body.lastElementChild;
  // The newest tick is always there; of those before it, each fifth stays.
  if (last && Number(last.dataset.at) % LINE_EVERY !== 0) last.remove();
  const row = body.insertRow();
  row.dataset.point = [Date.parse(tick.as_of) / 1000, figure.value ?? "", figure.low, figure.high].join();
  row.dataset.state = figure.state;
  row.dataset.at = tick.tick;
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = tick.as_of.slice(11, 19);
  row.append(head);
  row.insertCell().textContent = figure.state === "ok" ? amount(figure) : say("too few to say");
  row.insertCell().textContent = span(figure);
  while (body.rows.length > LINE_POINTS + 1) body.rows[0].remove();
  if (!document.hidden) drawAll();
}

// ---- Words

/** For those who listen: now and then, and not every two seconds. */
function speak(tick) {
  if (Date.now() - spoken < SPOKEN_MS) return;
  spoken = Date.now();
  const figure = tick.figures.concurrent_viewers;
  const place = document.querySelector("[data-spoken]");
  place.textContent =
    tick.fewer_than === null
      ? say("In the room: %(number)s, from %(low)s to %(high)s.", { number: amount(figure), low: written(figure.low, figure), high: written(figure.high, figure) })
      : say("In the room: fewer than %(limit)s.", { limit: number.format(tick.fewer_than) });
}

function tell(card, figure) {
  const vague = figure.state === "too_few";
  write(card, vague ? span(figure) : amount(figure), figure.exact ? say("exact") : vague ? say("too few to say more") : `${span(figure)}, 95 %`);
  card.querySelector(".number").className = `number${vague ? " vague" : ""}`;
  card.querySelector(".interval").className = `interval${figure.exact ? " exact-mark" : ""}`;
}

function write(place, text, interval) {
  const [big, small] = [place.querySelector(".number"), place.querySelector(".interval")];
  if (big.textContent !== text) big.textContent = text;
  if (small.textContent !== interval) small.textContent = interval;
}

function amount(figure) {
  return figure.value === null ? "–" : written(figure.value, figure);
}

function written(value, figure) {
  return figure.metric === "average_time_in_room" ? time(value) : number.format(value);
}

const two = (n) => String(n).padStart(2, "0");

/** As formats.py writes a mean: 95.3 s, 5:39 min, 1:05:39 h. */
function time(ms) {
  if (Math.abs(ms) < 120000) return `${decimal.format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)} ${say("h")}` : `${minutes}:${two(seconds % 60)} min`;
}

function span(figure) {
  if (figure.low === null) return "";
  if (figure.low === figure.high) return figure.state === "ok" ? written(figure.low, figure) : say("few");
  const [low, high] = [written(figure.low, figure), written(figure.high, figure)];
  // The unit stands once when both ends have the same.
  const unit = / \D+$/.exec(high)?.[0] ?? "";
  return `${unit && low.endsWith(unit) ? low.slice(0, -unit.length) : low}\u2009–\u2009${high}`;
}

function drawBeam(beam, figure, most) {
  const at = (value) => Math.min(100, Math.max(0, (100 * value) / Math.max(1, most)));
  const [light, core] = [beam.querySelector(".light"), beam.querySelector(".core")];
  light.setAttribute("x", at(figure.low));
  light.setAttribute("width", Math.max(0.8, at(figure.high) - at(figure.low)));
  const told = figure.state === "ok" && figure.value !== null;
  core.setAttribute("x", told ? at(figure.value) - 0.5 : 0);
  core.setAttribute("opacity", told ? 1 : 0);
}

/** How long it has been going on. */
function showClock() {
  const place = document.querySelector("[data-clock]");
  if (!place) return;
  const seconds = Math.max(0, Math.floor(Date.now() / 1000 - Number(place.dataset.clock)));
  place.textContent = `${seconds >= 3600 ? `${Math.floor(seconds / 3600)}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

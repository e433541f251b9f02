// Charts. In: figures of the page that hold a table of points. Out: their curves. A number that is too uncertain to be
// told has no point on the line: its band alone is drawn.

import { BarChart, CustomChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { innerOf, pointsOf, typicalOf } from "./points.js";
import { savePicture } from "./picture.js";
import { calm, dark, theme } from "./theme.js";
import { tooltipOf } from "./tooltip.js";
import { axisInterval, axisLabel } from "./units.js";
import { locale } from "./words.js";

use([BarChart, CustomChart, LineChart, AriaComponent, GridComponent, TooltipComponent, SVGRenderer]);

const drawn = new Map();

/** Draw every chart of the page, or draw it again where its table has changed. */
export function drawAll() {
  for (const [canvas, chart] of drawn) {
    if (!canvas.isConnected) forget(canvas, chart);
  }
  for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
}

function draw(figure) {
  const canvas = figure.querySelector(".chart-canvas");
  const points = pointsOf(figure);
  if (!points.length) return;
  let chart = drawn.get(canvas);
  if (!chart) {
    chart = init(canvas, null, { renderer: "svg" });
    chart.watcher = new ResizeObserver(() => chart.resize());
    chart.watcher.observe(canvas);
    drawn.set(canvas, chart);
  }
  chart.setOption(optionOf(figure, points), { notMerge: true });
  offerPicture(figure, chart);
}

/** A button below each chart saves it as it looks now, at twice the size. */
function offerPicture(figure, chart) {
  const button = figure.querySelector("[data-picture]");
  if (!button) return;
  button.hidden = false;
  button.onclick = () => savePicture(chart, button.dataset.picture);
}

function forget(canvas, chart) {
  chart.watcher.disconnect();
  chart.dispose();
  drawn.delete(canvas);
}

dark.addEventListener("change", drawAll);

function optionOf(figure, points) {
  const { chart: kind, unit, exact, label } = figure.dataset;
  const look = theme();
  const typical = typicalOf(figure);
  const inner = kind === "fan" ? innerOf(figure) : [];
  const outermost = Math.max(1, ...points.map((point) => point.high), ...typical.map((point) => point.high));
  const inmost = Math.max(1, ...inner.map((point) => point.high));
  // An outer end that is many times the inner one leaves the picture, and the page says so: all else would lie on its
  // floor.
  const highest = inner.length && outermost > 5 * inmost ? 2 * inmost : outermost;
  const lowest = Math.min(0, ...points.map((point) => point.low));
  const bars = kind === "bars";
  const placed = kind === "positions";
  const interval = axisInterval(unit, highest) ?? niceTop(highest) / 4;
  return {
    useUTC: true,
    animation: !calm.matches,
    animationDuration: 500,
    textStyle: { fontFamily: look.font },
    aria: { enabled: true, label: { description: label } },
    grid: { left: 8, right: 14, top: 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      ...(placed ? alongVideo(points) : alongTime(points, bars)),
      axisLine: { lineStyle: { color: look.grid } },
      axisTick: { show: false },
      axisLabel: { color: look.text, hideOverlap: true, fontSize: 12, margin: 12, formatter: placed ? clock : dateLabel(points) },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      // Whole steps below 0, too, so that one of them is 0.
      min: lowest < 0 ? Math.floor(lowest / interval) * interval : 0,
      max: Math.ceil(highest / interval) * interval,
      interval,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: look.text, fontSize: 12, formatter: axisLabel(unit) },
      splitLine: { lineStyle: { color: look.grid, type: [2, 5] } },
    },
    tooltip: {
      trigger: "axis",
      confine: true,
      className: "tip",
      backgroundColor: "transparent",
      borderWidth: 0,
      padding: 0,
      shadowBlur: 0,
      shadowColor: "transparent",
      transitionDuration: 0.15,
      axisPointer: { type: "line", lineStyle: { color: look.line, width: 1, type: "solid", opacity: 0.6 } },
      formatter: (items) => tooltipOf(points.find((point) => point.at === items[0].data[0]) ?? points[items[0].dataIndex], { exact: exact !== undefined, placed }),
    },
    series: kind === "fan" ? fanSeries(points, inner, look) : bars ? barSeries(points, look) : [...typicalSeries(typical, look), ...lineSeries(points, look, exact !== undefined)],
  };
}

/** An axis along a whole video: each point is where a part begins. Labels are at whole steps of seconds or minutes. */
function alongVideo(points) {
  const end = Math.round(points.at(-1).at + points[1].at);
  const interval = [1, 2, 5, 10, 15, 30, 60, 120, 300].map((seconds) => seconds * 1000).find((step) => step >= end / 7);
  return { type: "value", min: 0, max: end, interval: interval ?? 600_000 };
}

/** An axis along time. A single point stands at the beginning of its first ten minutes: alone it would span days. */
function alongTime(points, bars) {
  const first = points[0].at;
  const span = points.length === 1 ? { min: first, max: first + 600_000 } : {};
  return { type: "time", boundaryGap: bars ? ["2%", "2%"] : false, ...span };
}

function clock(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function lineSeries(points, look, exact) {
  const few = points.length < 40;
  const closed = points.filter((point) => !point.open);
  const line = {
    type: "line",
    data: closed.map((point) => [point.at, point.value]),
    showSymbol: few,
    symbol: "circle",
    symbolSize: 5,
    lineStyle: { color: look.line, width: 2.25, cap: "round", join: "round" },
    itemStyle: { color: look.line },
    emphasis: { scale: 1.6, lineStyle: { width: 2.25 } },
    z: 3,
  };
  // Every point is an item of this one, so the tooltip also opens where the line has no number to show.
  const anchor = {
    type: "line",
    data: points.map((point) => [point.at, (point.low + point.high) / 2]),
    showSymbol: false,
    silent: true,
    lineStyle: { opacity: 0 },
    itemStyle: { opacity: 0 },
    z: 1,
  };
  const open = openSeries(points.filter((point) => point.open), look);
  return exact || !closed.length ? [anchor, line, ...open] : [anchor, band(closed, look), line, ...open];
}

/** What is to come: an outer and an inner band, and a dashed middle that begins at the number of now. */
function fanSeries(points, inner, look) {
  const middle = {
    type: "line",
    data: points.map((point) => [point.at, point.value]),
    showSymbol: false,
    symbol: "circle",
    lineStyle: { color: look.line, width: 2.25, type: [6, 5], cap: "round" },
    itemStyle: { color: look.line },
    z: 3,
  };
  const now = {
    type: "line",
    data: [[points[0].at, points[0].value]],
    symbol: "circle",
    symbolSize: 9,
    tooltip: { show: false },
    silent: true,
    itemStyle: { color: look.line },
    z: 4,
  };
  return [band(points, look), { ...band(inner, look), z: 2 }, middle, now];
}

/** What still runs: a ring and its interval, which no line joins to the days that are over. */
function openSeries(points, look) {
  if (!points.length) return [];
  const ring = {
    type: "line",
    name: "open",
    data: points.map((point) => [point.at, point.value]),
    symbol: "emptyCircle",
    symbolSize: 8,
    lineStyle: { opacity: 0 },
    itemStyle: { color: look.line, borderWidth: 2 },
    z: 3,
  };
  return [whiskers(points, look), ring];
}

/** The typical video: a quiet band and a dashed middle, behind the curve. */
function typicalSeries(typical, look) {
  if (!typical.length) return [];
  const middle = {
    type: "line",
    name: "typical",
    data: typical.map((point) => [point.at, point.middle]),
    showSymbol: false,
    silent: true,
    tooltip: { show: false },
    lineStyle: { color: look.text, width: 1.25, type: [4, 4] },
    itemStyle: { color: look.text },
    z: 1,
  };
  return [{ ...band(typical, { band: look.typical }), name: "typical", z: 0 }, middle];
}

/** One polygon for the whole band: one for each pair of points would show seams. */
function band(points, look) {
  return {
    type: "custom",
    silent: true,
    animation: false,
    clip: true,
    data: [[points[0].at, points[0].low]],
    tooltip: { show: false },
    renderItem: (_, api) => ({
      type: "polygon",
      shape: {
        points: [
          ...points.map((point) => api.coord([point.at, point.high])),
          ...points.toReversed().map((point) => api.coord([point.at, point.low])),
        ],
      },
      style: { fill: look.band },
    }),
    z: 2,
  };
}

function barSeries(points, look) {
  const bars = {
    type: "bar",
    data: points.map((point) => [point.at, point.value ?? 0]),
    barMaxWidth: 26,
    barMinWidth: 1,
    barCategoryGap: "30%",
    itemStyle: { color: look.line, opacity: 0.75, borderRadius: [3, 3, 0, 0] },
    z: 2,
  };
  return [bars, whiskers(points, look)];
}

/** An interval at each point. */
function whiskers(points, look) {
  return {
    type: "custom",
    silent: true,
    animation: false,
    data: points.map((point) => [point.at, point.low, point.high]),
    encode: { x: 0, y: [1, 2] },
    tooltip: { show: false },
    renderItem: (_, api) => {
      const [x, low] = api.coord([api.value(0), api.value(1)]);
      const [, high] = api.coord([api.value(0), api.value(2)]);
      return {
        type: "line",
        shape: { x1: x, y1: low, x2: x, y2: high },
        style: { stroke: look.text, lineWidth: points.length > 120 ? 1 : 1.5, opacity: 0.75 },
      };
    },
    z: 3,
  };
}

/** An end of the axis that is four whole steps. */
function niceTop(highest) {
  if (highest <= 20) return 4 * Math.ceil(highest / 4);
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= highest);
}

function dateLabel(points) {
  const hours = points.length === 1 ? 1 : (points.at(-1).at - points[0].at) / 3_600_000;
  const day = new Intl.DateTimeFormat(locale, { timeZone: "UTC", day: "numeric", month: "short" });
  // The first minutes of a live room: without seconds every label would be the same.
  const second = hours < 0.2 ? { second: "2-digit" } : {};
  const hour = new Intl.DateTimeFormat(locale, { timeZone: "UTC", hour: "2-digit", minute: "2-digit", ...second });
  const month = new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "short", year: "numeric" });
  if (hours > 24 * 200) return (at) => month.format(at);
  return (at) => (at % 86_400_000 === 0 || hours > 72 ? day.format(at) : hour.format(at));
}

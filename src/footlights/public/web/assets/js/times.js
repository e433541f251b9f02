// Times. Figures are dated in UTC, as the schedule is; hovering tells a moment in the reader's own time.

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = `${local.format(new Date(time.dateTime))} where you are`;
  }
}

// Times. Figures are dated in UTC, as the schedule is; hovering tells a moment in the reader's own time.

import { locale, say } from "./words.js";

const local = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

export function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = say("%(at)s where you are", { at: local.format(new Date(time.dateTime)) });
  }
}

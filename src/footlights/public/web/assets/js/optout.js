// Opt-out. What a link from the viewer's own account may do on the privacy page: tell the collector not to count them.
// The token names its viewer to the collector alone. It stands behind the #, which no browser sends, and leaves the
// address bar and the history before anything else happens.

import { say } from "./words.js";

const MARK = "opt-out";
const OUTCOMES = {
  done: () => say("Done. From now on nothing that you watch is counted, on any device where you are signed in. Figures that were published stay: they tell nothing of you."),
  link_over: () => say("This link is over: it holds for a short time only. Open a new one from your account."),
  bad_link: () => say("This link does not work: it was cut, or another platform made it. Open a new one from your account."),
  away: () => say("That did not work: the platform's collector cannot be reached. Nothing was changed. Try again in a minute."),
  not_here: () => say("This platform has not set up opt-out links here. Ask it to opt you out."),
};

export function offerOptOut() {
  const panel = document.querySelector("[data-opt-out]");
  if (!panel) return;
  takeToken(panel);
  addEventListener("hashchange", () => takeToken(panel));
}

function takeToken(panel) {
  const token = new URLSearchParams(location.hash.slice(1)).get(MARK);
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  const offer = panel.querySelector("[data-opt-out-offer]");
  offer.hidden = false;
  panel.querySelector("[data-opt-out-how]").hidden = true;
  tell(panel, "");
  panel.scrollIntoView({ block: "center" });
  const button = offer.querySelector("button");
  button.disabled = false;
  button.onclick = async () => {
    button.disabled = true;
    const outcome = await optOut(panel.dataset.optOut, token);
    tell(panel, outcome);
    if (outcome === "away") button.disabled = false;
    else offer.hidden = true;
  };
}

async function optOut(collector, token) {
  if (!collector) return "not_here";
  try {
    const answer = await fetch(`${collector}/v1/optout`, {
      method: "POST",
      body: JSON.stringify({ token }),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (answer.ok) return "done";
    const { code } = await answer.json();
    return code in OUTCOMES ? code : "away";
  } catch {
    return "away";
  }
}

function tell(panel, outcome) {
  const said = panel.querySelector("[data-opt-out-said]");
  said.textContent = OUTCOMES[outcome]?.() ?? "";
  said.dataset.outcome = outcome;
}

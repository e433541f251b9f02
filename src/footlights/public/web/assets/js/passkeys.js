// Passkeys. In: a button. Out: what the device's authenticator answers, sent to the page's own site and nowhere else.

import { say } from "./words.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const ways = {
  create: { ask: "/operator/passkeys/ask", tell: "/operator/passkeys", of: ["clientDataJSON", "attestationObject"] },
  get: { ask: "/operator/login/passkey/ask", tell: "/operator/login/passkey", of: ["clientDataJSON", "authenticatorData", "signature"] },
};

export function offerPasskeys() {
  if (!window.PublicKeyCredential) return;
  for (const box of document.querySelectorAll("[data-passkey][hidden]")) {
    box.hidden = false;
    box.querySelector("button").addEventListener("click", () => use(box));
  }
}

async function use(box) {
  const told = box.querySelector("[data-told]");
  const button = box.querySelector("button");
  told.hidden = true;
  button.disabled = true;
  try {
    const kind = box.dataset.passkey;
    const { publicKey } = await post(ways[kind].ask, {});
    const made = await navigator.credentials[kind]({ publicKey: ready(publicKey) });
    const response = Object.fromEntries(ways[kind].of.map((name) => [name, text(made.response[name])]));
    const answer = { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
    const { to } = await post(ways[kind].tell, { answer, label: box.querySelector("input")?.value ?? "" });
    location.assign(to);
  } catch (problem) {
    // Whoever closes the device's own window knows that they did.
    told.textContent = problem.name === "NotAllowedError" ? say("The device was not asked to the end. Try again.") : problem.message;
    told.hidden = false;
    button.disabled = false;
  }
}

function ready(options) {
  const known = (list) => list?.map((each) => ({ ...each, id: bytes(each.id) }));
  const user = options.user && { ...options.user, id: bytes(options.user.id) };
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(user && { user }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
  };
}

async function post(address, said) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(said),
  });
  const heard = await answer.json();
  if (answer.status === 401) location.assign("/operator/login");
  if (!answer.ok) throw new Error(heard.detail);
  return heard;
}

// The control API, and what becomes of a click.
import { t, tell } from "./text.js";

const LIMIT = 5000;

export async function call(method, path, body) {
  const init = { method, cache: "no-store", signal: AbortSignal.timeout(LIMIT) };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(`/__sandbox/${path}`, init).catch(() => {
    throw new Error(t("no_answer"));
  });
  // Another program may have this port by now.
  const answer = await response.json().catch(() => null);
  if (!response.ok || !answer) throw new Error(answer?.error ?? t("no_sandbox"));
  return answer;
}

/** Does what a button is for, says so, and shows what has changed. */
async function act(work) {
  try {
    tell(await work());
  } catch (error) {
    tell(t("failed", { why: error.message }), true);
  }
  document.dispatchEvent(new Event("acted"));
}

export const onClick = (button, work) => button.addEventListener("click", () => act(work));

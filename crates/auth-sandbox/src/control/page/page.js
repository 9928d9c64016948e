// The page of the sandbox: asks the control API about once a second, and shows what it says.
import { call, onClick } from "./api.js";
import { showProviders } from "./cards.js";
import { askForRequests, showAgain, showLast, showRequests } from "./requests.js";
import { $, LANGUAGES, language, setLanguage, speak, speakAll, t, tell, write } from "./text.js";

const SECOND = 1000;
/** Set while the sandbox has not answered: how often, and the seconds to the next try. */
let misses = 0;
let wait = 1;
let paused = false;
/** What the last answers said. */
let latest = null;

function show() {
  $("link").className = `link ${misses ? "away" : paused ? "paused" : "good"}`;
  write($("link"), misses ? t("away", { seconds: wait }) : t(paused ? "paused" : "live"));
  if (!latest) return;
  showProviders(...latest);
  showLast();
}

async function ask() {
  const asked = [call("GET", "providers"), call("GET", "faults"), paused ? null : askForRequests()];
  try {
    const [{ providers }, { faults }, journal] = await Promise.all(asked);
    if (!Array.isArray(providers) || !Array.isArray(faults)) throw new Error(t("no_sandbox"));
    latest = [providers, faults];
    wait = document.hidden ? 10 : 1;
    if (journal) showRequests(journal);
    misses = 0;
  } catch {
    misses += 1;
    wait = Math.min(2 ** misses, 15);
  }
  show();
}

let timer;
let asking = false;
let again = false;

/** One round at a time: what comes during a round is another round, at once. */
async function poll() {
  clearTimeout(timer);
  again = asking;
  if (asking) return;
  asking = true;
  try {
    await ask();
  } finally {
    asking = false;
    timer = setTimeout(poll, again ? 0 : wait * SECOND);
  }
}

onClick($("reset"), async () => {
  await call("POST", "reset", {});
  return t("reset_done");
});
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").dataset.t = paused ? "resume" : "pause";
  write($("pause"), t($("pause").dataset.t));
  poll();
});
$("language").addEventListener("click", () => {
  history.replaceState(null, "", `?lang=${$("language").lang}`);
  tell("");
  setLanguage($("language").lang);
  showAgain();
  show();
});
document.addEventListener("acted", poll);
document.addEventListener("visibilitychange", () => document.hidden || poll());

speakAll(document);
speak(() => {
  $("language").lang = LANGUAGES.find((it) => it !== language);
  write($("language"), t("other_language"));
});
setLanguage(language);
call("GET", "health").then(({ version }) => write($("version"), version), () => {});
poll();

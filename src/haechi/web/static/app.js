// Starts what the page at hand needs.
import { startLetter, startMatch } from "./case.js";
import { start, wait } from "./check.js";
import { startLive } from "./live.js";
import { startVerify } from "./verify.js";
import { startHere } from "./view.js";

const starts = { check: start, running: wait, match: startMatch, letter: startLetter, live: startLive, verify: startVerify };
for (const [id, begin] of Object.entries(starts)) {
  const element = document.getElementById(id);
  if (element) begin(element);
}
startHere();

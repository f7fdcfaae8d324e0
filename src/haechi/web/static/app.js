// Starts what the page at hand needs.
import { start, wait } from "./check.js";
import { startHere } from "./view.js";

const form = document.getElementById("check");
const running = document.getElementById("running");
if (form) start(form);
if (running) wait(running);
startHere();

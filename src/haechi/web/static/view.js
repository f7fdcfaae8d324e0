// Shows a page of ours in the place of the one where a file was given. The file itself stays where it lies on
// the person's device: this tab holds a handle to it, for the magnifier, the player and the case, until it is
// closed or loads another page.
import { start as startKeep } from "./keep.js";
import { start as startResult } from "./result.js";

const files = new Map();
let home = null; // the first page, kept to come back to
let stop = () => {};

export const keepFile = (id, file) => files.set(id, file);

export const startHere = () => {
  const result = document.getElementById("result");
  const keep = document.getElementById("keep");
  stop = result ? startResult(result, files.get(result.dataset.id)) : () => {};
  if (keep) startKeep(keep, files.get(keep.dataset.id), put);
};

const place = (main, title) => {
  stop();
  stop = () => {};
  document.querySelector("main").replaceWith(main);
  document.title = title;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
};

// The style rules of one report, ready before the report is shown.
const dress = async (rules) => {
  document.getElementById("rules")?.remove();
  if (!rules) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.id = "rules";
  sheet.href = rules.getAttribute("href");
  const ready = new Promise((resolve) => (sheet.onload = sheet.onerror = resolve));
  document.head.append(sheet);
  await ready;
};

const put = async (text, address) => {
  const page = new DOMParser().parseFromString(text, "text/html");
  await dress(page.getElementById("rules"));
  place(document.adoptNode(page.querySelector("main")), page.title);
  for (const link of document.querySelectorAll("footer a[hreflang]")) {
    link.href = `${address}?lang=${link.hreflang.slice(0, 2)}`;
  }
  document.dispatchEvent(new Event("haechi:report"));
  startHere();
};

const load = async (address) => {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) location.assign(address);
  else await put(await answer.text(), address);
};

const visit = async (address) => {
  if (!home) {
    home = { main: document.querySelector("main"), title: document.title };
    history.replaceState({ home: true }, "");
  }
  await load(address);
  history.pushState({ address }, "", address);
};

export const show = (id) => visit(`/checks/${encodeURIComponent(id)}`);

const goHome = () => {
  dress(null);
  place(home.main, home.title);
};

// Back to the first page, as it was left, if another is shown in its place.
export const atHome = () => {
  if (!home || home.main.isConnected) return;
  goHome();
  history.pushState({ home: true }, "", "/");
};

addEventListener("popstate", (event) => {
  if (!home) return;
  if (event.state?.address) load(event.state.address);
  else if (event.state?.home) goHome();
});

// Links between the first page, a result and its way into a case keep the tab, and with it the files.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-stay]") : null;
  if (!home || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.stay === "back") {
    atHome();
  } else {
    visit(link.getAttribute("href"));
  }
});

// The answers about age and country, too: the page comes again as it is for them.
document.addEventListener("submit", async (event) => {
  const form = event.target instanceof Element ? event.target.closest("form[data-stay]") : null;
  if (!home || !form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    await put(await answer.text(), form.dataset.stay);
    document.getElementById("advice")?.scrollIntoView();
  } catch {
    form.submit();
  }
});

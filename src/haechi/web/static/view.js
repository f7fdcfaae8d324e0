// Shows a result in the place of the page where its file was given. The file itself stays where it lies on the
// person's device: this page holds a handle to it, for the magnifier and the player, until the tab is closed.
import { start as startResult } from "./result.js";

const files = new Map();
let home = null; // the first page, kept to come back to
let stop = () => {};

export const keepFile = (id, file) => files.set(id, file);
export const fileOf = (id) => files.get(id) || null;

const begin = () => {
  document.dispatchEvent(new Event("haechi:report"));
  const result = document.getElementById("result");
  stop = result ? startResult(result, fileOf(result.dataset.id)) : () => {};
};

const place = (main, title) => {
  stop();
  stop = () => {};
  document.querySelector("main").replaceWith(main);
  document.title = title;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
};

const load = async (id) => {
  const address = `/checks/${encodeURIComponent(id)}`;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const rules = page.getElementById("rules");
  if (!answer.ok || !rules) {
    location.assign(address);
    return;
  }
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.id = "rules";
  sheet.href = rules.getAttribute("href");
  const ready = new Promise((resolve) => (sheet.onload = sheet.onerror = resolve));
  document.getElementById("rules")?.remove();
  document.head.append(sheet);
  await ready;
  place(document.adoptNode(page.querySelector("main")), page.title);
  for (const link of document.querySelectorAll("footer a[hreflang]")) {
    link.href = `${address}?lang=${link.hreflang.slice(0, 2)}`;
  }
  begin();
};

export const show = async (id) => {
  if (!home) {
    home = { main: document.querySelector("main"), title: document.title, state: history.state };
    history.replaceState({ home: true }, "");
  }
  await load(id);
  history.pushState({ id }, "", `/checks/${encodeURIComponent(id)}`);
};

addEventListener("popstate", (event) => {
  if (!home) return;
  if (event.state?.id) load(event.state.id);
  else if (event.state?.home) place(home.main, home.title);
});

document.addEventListener("click", (event) => {
  if (!home || !(event.target instanceof Element) || !event.target.closest("a[data-back]")) return;
  event.preventDefault();
  history.back();
});

export const startHere = () => {
  const result = document.getElementById("result");
  if (result) stop = startResult(result, null);
};

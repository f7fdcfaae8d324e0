// Leaving in a hurry: one press of the button, or Escape twice, puts an empty page in the place of this one, and
// has the server delete all that this browser sent. Without this script the button is a form that asks for the same.
// Pages visited before would still be behind "Back"; each asks here whether it was left, and goes at once.
(() => {
  "use strict";
  document.documentElement.classList.add("js"); // before anything is drawn, so that nothing jumps
  const FLAG = "haechi:left";
  const WITHIN_MS = 1200;

  const remembered = () => {
    try {
      return sessionStorage.getItem(FLAG) === "1";
    } catch {
      return false;
    }
  };
  const remember = (left) => {
    try {
      if (left) sessionStorage.setItem(FLAG, "1");
      else sessionStorage.removeItem(FLAG);
    } catch {
      // Storage is switched off: the page still goes, only "Back" to older pages is not guarded.
    }
  };
  const vanish = () => {
    document.documentElement.hidden = true;
    document.title = "\u200b";
    location.replace("about:blank");
  };

  // Whoever types the address or follows a link wants to be here; "Back", "Forward" and a restored tab may not.
  const [entry] = performance.getEntriesByType("navigation");
  if (entry && entry.type === "back_forward") {
    if (remembered()) vanish();
  } else {
    remember(false);
  }
  addEventListener("pageshow", (event) => {
    if (event.persisted && remembered()) vanish();
  });

  const leave = () => {
    remember(true);
    // Both outlive the page; nobody waits for the answer, so that a busy server keeps nobody here.
    if (!navigator.sendBeacon?.("/leave")) fetch("/leave", { method: "POST", keepalive: true }).catch(() => {});
    vanish();
  };
  let last = -Infinity;
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      last = -Infinity;
      return;
    }
    // Escape also ends the composing of a Korean or Chinese syllable, and a held key repeats itself.
    if (event.isComposing || event.repeat) return;
    if (event.timeStamp - last < WITHIN_MS) leave();
    last = event.timeStamp;
  }, true);
  addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest(".leave")) return;
    event.preventDefault();
    leave();
  });
})();

(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  root.classList.add("js");

  const start = () => {
    const slider = document.getElementById("opacity");
    const fade = () => root.style.setProperty("--heat", String(slider.value / 100));
    if (slider) {
      slider.addEventListener("input", fade);
      fade();
    }

    // One frame of a video at a time; without script all stand below each other.
    const thumbs = all(".thumbs a");
    const choose = (index, focus) => {
      const chosen = thumbs[index];
      if (!chosen) return;
      thumbs.forEach((thumb) => {
        const on = thumb === chosen;
        document.getElementById(thumb.hash.slice(1)).hidden = !on;
        if (on) thumb.setAttribute("aria-current", "true");
        else thumb.removeAttribute("aria-current");
      });
      all(".cursor").forEach((line) => {
        line.setAttribute("x1", chosen.dataset.x);
        line.setAttribute("x2", chosen.dataset.x);
      });
      if (focus) chosen.focus();
    };
    thumbs.forEach((thumb, index) => {
      thumb.addEventListener("click", (event) => {
        event.preventDefault();
        choose(index, false);
      });
      thumb.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        choose(Math.min(Math.max(index + step, 0), thumbs.length - 1), true);
      });
    });
    if (thumbs.length) choose(Math.max(0, thumbs.findIndex((thumb) => "strongest" in thumb.dataset)), false);
    all(".plot svg").forEach((plot) => {
      plot.addEventListener("click", (event) => {
        const area = plot.getBoundingClientRect();
        const x = ((event.clientX - area.left) / area.width) * 1000;
        const gaps = thumbs.map((thumb) => Math.abs(thumb.dataset.x - x));
        choose(gaps.indexOf(Math.min(...gaps)), false);
      });
    });

    all("button.print").forEach((button) => button.addEventListener("click", () => window.print()));
  };
  start();
  // A page that puts another report in the place of what it showed says so.
  document.addEventListener("haechi:report", start);

  let folded = [];
  window.addEventListener("beforeprint", () => {
    // Words that a picture was generated from may name a person: on paper only for whoever unfolded them.
    folded = all("details:not([open]):not(.words)");
    folded.forEach((part) => (part.open = true));
  });
  window.addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));
})();

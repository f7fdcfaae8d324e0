// Plays the original video from where it lies on the person's device, and jumps to the conspicuous seconds.
import { clock, fill } from "./text.js";

// The shaded stretches of the charts, in seconds.
const stretches = (span) => {
  const found = new Map();
  for (const rect of document.querySelectorAll(".chart rect.span")) {
    const start = (rect.x.baseVal.value / 1000) * span;
    const end = start + (rect.width.baseVal.value / 1000) * span;
    found.set(start.toFixed(1), [start, end]);
  }
  return [...found.values()].sort((a, b) => a[0] - b[0]);
};

export const player = (told, address, span) => {
  const template = document.getElementById("player");
  const note = document.getElementById("no-player");
  const above = document.querySelector(".veil-bar");
  if (!address || !template || !above) return () => {};
  const box = template.content.firstElementChild.cloneNode(true);
  const video = box.querySelector("video");
  above.after(box);
  note.hidden = true;

  const jump = (seconds) => (video.currentTime = seconds);
  const jumps = box.querySelector(".jumps");
  for (const [start, end] of stretches(span)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${clock(start)}–${clock(end)}`;
    button.setAttribute("aria-label", fill(told.player_to, { start: clock(start), end: clock(end) }));
    button.addEventListener("click", () => {
      jump(start);
      video.play();
    });
    const item = document.createElement("li");
    item.append(button);
    jumps.querySelector("ul").append(item);
    jumps.hidden = false;
  }

  const part = (event, plot) => {
    const area = plot.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1);
  };
  for (const plot of document.querySelectorAll(".plot svg")) {
    plot.addEventListener("click", (event) => jump(part(event, plot) * span));
  }
  for (const thumb of document.querySelectorAll(".thumbs a")) {
    thumb.addEventListener("click", () => jump((Number(thumb.dataset.x) / 1000) * span));
  }
  video.addEventListener("timeupdate", () => {
    const x = String((video.currentTime / span) * 1000);
    for (const line of document.querySelectorAll(".chart .cursor")) {
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
  });
  video.addEventListener("error", () => {
    box.remove();
    note.textContent = told.player_broken;
    note.hidden = false;
  });
  video.src = address;
  return () => {
    video.removeAttribute("src");
    video.load();
  };
};

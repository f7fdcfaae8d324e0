// The last seconds of a call, held in the memory of the local Haechi while a switch says so, and the clips of them.
import { fill } from "./text.js";

export class KeepView {
  // order(order): sends one to the local Haechi.
  constructor(told, order) {
    this.told = told;
    this.order = order;
    this.toggle = document.getElementById("live-keep");
    this.button = document.getElementById("live-keep-now");
    this.state = document.getElementById("live-keep-state");
    this.clips = document.getElementById("live-clips");
    this.toggle.addEventListener("change", () => this.send());
    this.button.addEventListener("click", () => {
      this.state.textContent = told.live_keep_empty; // until a clip comes
      order({ do: "clip" });
    });
  }

  send() {
    this.order({ do: "keep", on: this.toggle.checked });
  }

  ready() {
    if (this.toggle.checked) this.send();
  }

  keep({ on, why }) {
    this.toggle.checked = on;
    this.button.disabled = !on;
    this.state.textContent = why === "minor" ? this.told.live_keep_minor : "";
  }

  clip({ id, why, seconds }) {
    const link = document.createElement("a");
    link.href = `/live/clips/${id}`;
    link.target = "_blank"; // the call goes on
    link.rel = "noopener";
    link.textContent = fill(this.told[`live_clip_${why}`], { seconds: Math.round(seconds) });
    const line = document.createElement("li");
    line.append(link);
    this.clips.append(line);
    while (this.clips.children.length > 2) this.clips.firstChild.remove(); // as many as are held
    this.state.textContent = "";
  }

  end() {
    this.button.disabled = true;
  }
}

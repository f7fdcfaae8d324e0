// A verification: the camera, one challenge after another, the colours, and the result.
import { fill, words } from "./text.js";
import { Session, Trouble } from "./verify-wire.js";

const CAMERA = { video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" }, audio: false };
const TROUBLE = { NotAllowedError: "live_denied", NotFoundError: "live_no_camera", NotReadableError: "live_camera_busy" };
const EVERY_MS = 66;
const SPARE_MS = 200;
const READY_MS = 1500;
const QUALITY = 0.85;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const one = (id) => document.getElementById(id);

class Stopped extends Error {}

class Run {
  constructor(place, told) {
    this.told = told;
    this.session = new Session(place.dataset.lang);
    this.canvas = document.createElement("canvas");
    this.over = false;
  }

  async play(subject, flash) {
    const video = one("verify-video");
    this.stream = await navigator.mediaDevices.getUserMedia(CAMERA);
    video.srcObject = this.stream;
    await video.play();
    this.canvas.width = video.videoWidth;
    this.canvas.height = video.videoHeight;
    this.show(this.told.verify_ready, "");
    await pause(READY_MS);
    this.check();
    await this.session.open(subject, flash);
    while (this.session.state.state === "open") await this.challenge();
    this.dark();
    this.show(this.told.verify_judging, "");
    while (this.session.state.state !== "done") {
      await pause(300);
      this.check();
      await this.session.look();
    }
    return this.session.state.result;
  }

  async challenge() {
    const { challenge, number, challenges } = this.session.state;
    const step = fill(this.told.verify_step, { n: number + 1, count: challenges });
    this.show(this.told[`verify_do_${challenge.kind}`], step);
    const ends = [];
    for (const lasts of challenge.flash?.lasts_s ?? []) ends.push((ends.at(-1) ?? 0) + lasts * 1000);
    const paint = (sinceMs) => {
      if (!challenge.flash) return;
      const index = ends.findIndex((end) => sinceMs < end);
      this.colour(challenge.flash.colours.at(index));
    };
    paint(0);
    await drawn();
    const begunMs = performance.now();
    let sending = Promise.resolve();
    let painting = 0;
    const repaint = () => {
      paint(performance.now() - begunMs);
      painting = requestAnimationFrame(repaint);
    };
    repaint();
    try {
      for (let sinceMs = 0; sinceMs < challenge.duration_s * 1000 + SPARE_MS; sinceMs = performance.now() - begunMs) {
        this.check();
        const atMs = performance.now();
        await this.session.add(sinceMs ? atMs : begunMs, await this.picture());
        one("verify-progress").value = Math.min(1, sinceMs / (challenge.duration_s * 1000));
        sending = sending.then(() => this.session.send());
        sending.catch(() => (this.failed = true));
        if (this.failed) await sending;
        await pause(Math.max(0, EVERY_MS - (performance.now() - atMs)));
      }
      await sending;
      await this.session.add(performance.now());
      await this.session.send();
    } finally {
      cancelAnimationFrame(painting);
      this.dark();
    }
  }

  async picture() {
    this.canvas.getContext("2d").drawImage(one("verify-video"), 0, 0);
    const blob = await new Promise((resolve) => this.canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return new Uint8Array(await blob.arrayBuffer());
  }

  show(text, step) {
    one("verify-do").textContent = text;
    one("verify-step").textContent = step;
  }

  colour(value) {
    const place = one("verify-now");
    place.classList.add("verify-colours");
    place.style.backgroundColor = value;
  }

  dark() {
    const place = one("verify-now");
    place.classList.remove("verify-colours");
    place.style.backgroundColor = "";
  }

  check() {
    if (this.over) throw new Stopped();
  }

  end() {
    this.over = true;
    this.dark();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    one("verify-video").srcObject = null;
  }
}

const item = (tag, text) => {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
};

export const startVerify = (place) => {
  const told = words(place);
  const form = one("verify-begin");
  const parts = { begin: form, now: one("verify-now"), end: one("verify-end") };
  let run = null;

  const turnTo = (name) => {
    for (const [key, part] of Object.entries(parts)) part.hidden = key !== name;
    if (name !== "begin") parts[name].focus();
  };

  const trouble = (text) => {
    const line = one("verify-trouble");
    line.textContent = text;
    line.hidden = !text;
  };

  const result = ({ decision, reasons, checks }) => {
    one("verify-word").textContent = told[`verify_result_${decision}`];
    parts.end.dataset.decision = decision;
    one("verify-reasons").replaceChildren(...reasons.map((reason) => item("li", reason.text)));
    const lines = checks.flatMap(({ check, reason }) => [
      item("dt", told[`verify_check_${check}`]),
      item("dd", reason.text),
    ]);
    one("verify-checks").replaceChildren(...lines);
    turnTo("end");
  };

  const explain = (error) => {
    if (error instanceof Stopped) return told.verify_stopped;
    if (error instanceof Trouble) return error.text || told[`problem_${error.code}`] || told.problem_internal;
    return told[TROUBLE[error.name]] || told.live_camera_busy;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (run) return;
    trouble("");
    turnTo("now");
    run = new Run(place, told);
    try {
      result(await run.play(one("verify-subject").value, !one("verify-no-flash").checked));
    } catch (error) {
      await run.session.drop();
      turnTo("begin");
      trouble(explain(error));
    } finally {
      run.end();
      run = null;
    }
  });
  one("verify-stop").addEventListener("click", () => run && (run.over = true));
  one("verify-again").addEventListener("click", () => {
    turnTo("begin");
    one("verify-subject").focus();
  });
  addEventListener("pagehide", () => {
    if (!run) return;
    run.session.drop();
    run.end();
  });
  if (!navigator.mediaDevices || !crypto.subtle) {
    form.querySelector("button").disabled = true;
    trouble(told.live_insecure);
  }
};

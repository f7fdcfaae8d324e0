// A call under watch: shares a window or a camera, shows what the local Haechi says of it, and stores nothing.
import { capture } from "./live-capture.js";
import { ChallengeView } from "./live-challenge.js";
import { KeepView } from "./live-keep.js";
import { CallView } from "./live-view.js";
import { words } from "./text.js";

const WINDOW = {
  video: { frameRate: { ideal: 15, max: 30 } },
  audio: false,
  selfBrowserSurface: "exclude",
  surfaceSwitching: "include",
};
const CAMERA = { video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false };
const TROUBLE = { NotAllowedError: "live_denied", NotFoundError: "live_no_camera", NotReadableError: "live_camera_busy" };
const BEEPS_S = [0, 0.35, 0.7];

class Bell {
  constructor(told) {
    this.told = told;
    this.button = document.getElementById("live-notify");
    this.switch = document.getElementById("live-sound");
    this.state = document.getElementById("live-notify-state");
    this.context = null;
    this.button.addEventListener("click", () => this.ask());
    this.switch.addEventListener("change", () => this.switch.checked && this.ring()); // so it may sound later, too
    if (!("Notification" in window)) this.show("none");
    else if (Notification.permission === "granted") this.show("on");
  }

  show(answer) {
    this.state.textContent = this.told[`live_notify_${answer}`];
    this.button.hidden = answer === "none"; // else it stays: whoever pressed it would lose their place
  }

  async ask() {
    this.show((await Notification.requestPermission()) === "granted" ? "on" : "off");
  }

  alarm(title, body) {
    if (this.switch.checked) this.ring();
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const note = new Notification(title, { body, tag: "haechi-live", requireInteraction: true });
      note.addEventListener("click", () => {
        window.focus();
        note.close();
      });
    } catch {
      // Phones show notifications of installed apps only; the sound and the page remain.
    }
  }

  ring() {
    this.context = this.context || new AudioContext();
    for (const at of BEEPS_S) {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.frequency.value = 740;
      volume.gain.value = 0.2;
      tone.connect(volume).connect(this.context.destination);
      tone.start(this.context.currentTime + at);
      tone.stop(this.context.currentTime + at + 0.2);
    }
  }
}

export const startLive = (place) => {
  const told = words(place);
  const bell = new Bell(told);
  const view = new CallView(place, told, (title, body) => bell.alarm(title, body));
  const share = document.getElementById("live-share");
  const camera = document.getElementById("live-camera");
  let call = null;
  let asking = false;
  const order = (what) => call?.order(what);
  const announce = (text) => {
    view.announce.textContent = text;
  };
  const challenge = new ChallengeView(told, order, announce, (text) => view.happened(text));
  const keep = new KeepView(told, order);

  const end = (text, failed) => {
    if (!call) return;
    call.stop();
    call = null;
    view.end(text, failed);
    keep.end();
  };

  const begin = async (choose) => {
    if (call || asking) return;
    view.trouble("");
    asking = true;
    try {
      const stream = await choose();
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const address = `${scheme}://${location.host}/v1/live?lang=${place.dataset.lang}`;
      view.begin(stream);
      challenge.begin();
      call = await capture(stream, view.video, address, {
        ready: (thresholds) => {
          view.ready(thresholds);
          keep.ready();
        },
        state: (state) => {
          view.state(state);
          challenge.state(state);
        },
        late: () => view.late(),
        keep: (answer) => keep.keep(answer),
        clip: (clip) => keep.clip(clip),
        ended: () => end(told.live_share_ended, true),
        failed: (code, text) => end(text || told[`problem_${code}`] || told.problem_internal, true),
      });
    } catch (error) {
      view.trouble(told[TROUBLE[error.name]] || told.live_camera_busy);
    } finally {
      asking = false;
    }
  };

  const media = navigator.mediaDevices;
  if (!media) {
    share.disabled = camera.disabled = true;
    view.trouble(told.live_insecure);
    return;
  }
  if (!media.getDisplayMedia) {
    share.disabled = true;
    view.trouble(told.live_no_share);
  }
  share.addEventListener("click", () => begin(() => media.getDisplayMedia(WINDOW)));
  camera.addEventListener("click", () => begin(() => media.getUserMedia(CAMERA)));
  document.getElementById("live-stop").addEventListener("click", () => end(told.live_stopped, false));
  addEventListener("pagehide", () => end(told.live_stopped, false));
};

// Takes frames of a call to the local Haechi, in a thread of its own: timers and sockets of a page that is hidden are
// held back, those of a worker are not. One frame is under way at a time; what comes meanwhile is dropped, never kept.
const MOST_PX = 1920;
const EVERY_MS = 100;
const QUALITY = 0.9;
const MISS_MS = 1000;
const LATE_MS = 3000;
const HEAD_BYTES = 8;

let socket = null;
let ready = false;
let busy = false;
let beganMs = 0; // of the frame that is under way
let lastMs = 0;
let nextMs = 0;
let dropped = 0;
let late = false; // the answer to the frame that is under way
const startMs = performance.now();
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false });

const idle = (nowMs) => ready && !busy && nowMs >= nextMs;

const send = (timeMs, jpeg) => {
  const message = new Uint8Array(HEAD_BYTES + jpeg.byteLength);
  new DataView(message.buffer).setFloat64(0, (timeMs - startMs) / 1000, true);
  message.set(new Uint8Array(jpeg), HEAD_BYTES);
  if (socket.readyState === WebSocket.OPEN) socket.send(message);
};

// The picture is closed here, whatever becomes of it: the camera has only a few to give.
const take = async (picture, width, height) => {
  const nowMs = performance.now();
  if (!idle(nowMs) || !width || !height) {
    picture.close();
    dropped += ready ? 1 : 0;
    return;
  }
  busy = true;
  beganMs = lastMs = nowMs;
  // On average so often: one that comes late does not delay all that follow.
  nextMs = Math.max(nextMs + EVERY_MS, nowMs + EVERY_MS / 2);
  const scale = Math.min(1, MOST_PX / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  send(nowMs, await blob.arrayBuffer());
};

const read = async (readable) => {
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // Not waited for: while it is encoded the next ones are read, and dropped.
    take(value, value.displayWidth, value.displayHeight).catch(() => postMessage({ kind: "broken" }));
  }
};

// Where no frame comes, as of a window that is minimised, the session is told so: it must not go on as before.
setInterval(() => {
  const nowMs = performance.now();
  if (ready && busy && !late && nowMs - beganMs >= LATE_MS) {
    late = true;
    postMessage({ kind: "late" });
  }
  if (!ready || busy || nowMs - lastMs < MISS_MS) return;
  busy = true;
  beganMs = nowMs;
  send(nowMs, new ArrayBuffer(0));
}, MISS_MS / 2);

const connect = (address) => {
  socket = new WebSocket(address);
  socket.addEventListener("message", ({ data }) => {
    const told = JSON.parse(data);
    if (told.kind === "ready") {
      ready = true;
      lastMs = performance.now();
      postMessage(told);
    } else if (told.kind === "state") {
      busy = late = false;
      postMessage({ ...told, waitMs: performance.now() - beganMs, dropped });
    } else {
      postMessage(told);
    }
  });
  socket.addEventListener("close", () => {
    ready = false;
    postMessage({ kind: "closed" });
  });
};

const starts = {
  // A stream of frames that the page made of the track.
  stream: ({ readable }) => read(readable),
  // The track itself, where only workers may read it.
  track: ({ track }) => {
    if (typeof MediaStreamTrackProcessor === "undefined") postMessage({ kind: "no_processor" });
    else read(new MediaStreamTrackProcessor({ track }).readable);
  },
  // Neither: this clock asks the page for a picture of its video.
  clock: () => setInterval(() => idle(performance.now()) && postMessage({ kind: "tick" }), EVERY_MS),
  picture: ({ picture }) => take(picture, picture.width, picture.height),
};

addEventListener("message", ({ data }) => {
  if (data.kind === "connect") connect(data.address);
  else if (data.kind === "order") ready && socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(data.order));
  else Promise.resolve(starts[data.kind](data)).catch(() => postMessage({ kind: "broken" }));
});

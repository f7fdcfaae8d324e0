// From a track to the worker that sends its frames, by the best way that this browser has.

const canRead = typeof MediaStreamTrackProcessor !== "undefined";

// Hand the track to the worker, where only workers may read it; false where it cannot be handed over.
const handOver = (worker, track) => {
  const copy = track.clone();
  try {
    worker.postMessage({ kind: "track", track: copy }, [copy]);
    return true;
  } catch {
    copy.stop();
    return false;
  }
};

const pictureOf = async (worker, video) => {
  try {
    const picture = await createImageBitmap(video);
    worker.postMessage({ kind: "picture", picture }, [picture]);
  } catch {
    // The video has no picture yet; the worker's clock asks again, and tells when none comes.
  }
};

// Begins to send; told.ready, .state, .late, .keep, .clip, .ended and .failed are called as things happen. Returns
// what stops it, and what sends an order.
export const capture = async (stream, video, address, told) => {
  const [track] = stream.getVideoTracks();
  const worker = new Worker("/static/live-worker.js", { type: "module" });
  let over = false;
  const stop = () => {
    over = true;
    worker.terminate();
    for (const one of stream.getTracks()) one.stop();
    video.srcObject = null;
  };
  const fail = (code, text) => !over && told.failed(code, text);
  const answers = {
    ready: (data) => told.ready(data.thresholds),
    state: (data) => told.state(data),
    late: () => told.late(),
    keep: (data) => told.keep(data),
    clip: (data) => told.clip(data),
    end: (data) => fail(data.code, data.text),
    closed: () => fail("offline"),
    broken: () => fail("live_frame"),
    no_processor: () => worker.postMessage({ kind: "clock" }),
    tick: () => pictureOf(worker, video),
  };
  worker.addEventListener("message", ({ data }) => !over && answers[data.kind]?.(data));
  worker.addEventListener("error", () => fail("internal"));
  track.addEventListener("ended", () => !over && told.ended());
  worker.postMessage({ kind: "connect", address });
  if (canRead) {
    const { readable } = new MediaStreamTrackProcessor({ track });
    worker.postMessage({ kind: "stream", readable }, [readable]);
  } else if (!handOver(worker, track)) {
    worker.postMessage({ kind: "clock" });
  }
  return { stop, order: (order) => worker.postMessage({ kind: "order", order }) };
};

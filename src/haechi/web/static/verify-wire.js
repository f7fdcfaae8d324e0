// Sealed frames on their way to /v1/verifications: how they are written, and in which order they go.
const LABEL = new TextEncoder().encode("haechi.verify/1");
const HEAD = 52;
const MOST_AT_ONCE = 16;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export class Trouble extends Error {
  constructor(code, text) {
    super(code);
    this.code = code;
    this.text = text;
  }
}

const answerOf = async (address, options) => {
  let answer;
  try {
    answer = await fetch(address, { cache: "no-store", ...options });
  } catch {
    throw new Trouble("offline");
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({ code: "internal" }));
  if (!answer.ok) throw new Trouble(told.code, told.code === "verify_refused" ? told.detail : "");
  return told;
};

// One session. `state` is what the server said last.
export class Session {
  constructor(lang) {
    this.query = `?lang=${lang}`;
    this.sequence = 0;
    this.waiting = [];
  }

  async open(subject, flash) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ subject, flash });
    this.state = await answerOf(`/v1/verifications${this.query}`, { method: "POST", headers, body });
    this.openedMs = performance.now();
    this.address = `/v1/verifications/${this.state.id}`;
    const kind = { name: "HMAC", hash: "SHA-256" };
    this.key = await crypto.subtle.importKey("raw", bytesOf(this.state.key), kind, false, ["sign"]);
  }

  // A frame taken at `atMs` by performance.now(), or the end of the challenge when there is no picture.
  async add(atMs, jpeg = new Uint8Array(0)) {
    const head = new ArrayBuffer(HEAD);
    const view = new DataView(head);
    view.setUint32(0, this.sequence, true);
    view.setUint32(4, this.state.number, true);
    view.setFloat64(8, atMs - this.openedMs, true);
    view.setUint32(16, jpeg.length, true);
    this.sequence += 1;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", jpeg));
    const nonce = bytesOf(this.state.challenge.nonce);
    const place = new Uint8Array(head, 0, 16);
    const text = new Uint8Array([...LABEL, ...nonce, ...place, ...hash]);
    const seal = new Uint8Array(await crypto.subtle.sign("HMAC", this.key, text));
    new Uint8Array(head, 20, 32).set(seal);
    this.waiting.push(new Uint8Array(head), jpeg);
  }

  // Send what waits; one request at a time, so that nothing arrives before what came first.
  async send() {
    while (this.waiting.length) {
      const body = new Blob(this.waiting.splice(0, 2 * MOST_AT_ONCE));
      const headers = { "Content-Type": "application/octet-stream" };
      this.state = await answerOf(`${this.address}/frames${this.query}`, { method: "POST", headers, body });
    }
  }

  async look() {
    this.state = await answerOf(`${this.address}${this.query}`);
    return this.state;
  }

  async drop() {
    if (this.address) await answerOf(this.address, { method: "DELETE", keepalive: true }).catch(() => null);
  }
}

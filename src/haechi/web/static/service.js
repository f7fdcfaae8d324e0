// What the pages ask of REST /v1: send a file, follow its check.

export class Refused extends Error {
  constructor(code, retryAfterS = 0) {
    super(code);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

const ADDRESS = "/v1/checks";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const codeOf = (text) => {
  try {
    return JSON.parse(text).code || "internal";
  } catch {
    return "internal";
  }
};

// XMLHttpRequest, because fetch tells nothing of how far an upload is.
const sendOnce = (file, tell) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name || "picture.png");
    request.open("POST", ADDRESS);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total) tell(event.loaded / event.total);
    };
    request.onerror = () => reject(new Refused("offline"));
    request.onload = () => {
      if (request.status === 202 || request.status === 200) {
        resolve((request.getResponseHeader("Location") || "").split("/").pop());
      } else {
        const wait = Number(request.getResponseHeader("Retry-After")) || 0;
        reject(new Refused(codeOf(request.responseText), request.status === 429 ? wait || 1 : 0));
      }
    };
    request.send(form);
  });

// A full queue and a hasty sender are asked to wait; so we do, and try again.
export const send = async (file, tell, patience = 20) => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await sendOnce(file, tell);
    } catch (error) {
      if (!error.retryAfterS || attempt >= patience) throw error;
      await sleep(Math.min(error.retryAfterS, 30) * 1000);
    }
  }
};

// Calls tell(job) with each state until there is a report; the level of its verdict.
export const follow = async (id, tell) => {
  const start = performance.now();
  let silent = 0;
  for (;;) {
    let answer;
    try {
      answer = await fetch(`${ADDRESS}/${encodeURIComponent(id)}`, { headers: { Accept: "application/json" } });
      silent = 0;
    } catch {
      silent += 1;
      if (silent > 5) throw new Refused("offline");
      await sleep(1000);
      continue;
    }
    const text = await answer.text();
    if (answer.status === 200) return JSON.parse(text).verdict.level;
    if (answer.status !== 202) throw new Refused(codeOf(text));
    tell(JSON.parse(text));
    // Often at first: a photograph is soon judged, and waiting for the next question would be most of the wait.
    await sleep(performance.now() - start < 8000 ? 200 : 1000);
  }
};

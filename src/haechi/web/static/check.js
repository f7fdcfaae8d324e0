// The first page: takes files in every way a person may give them, and follows each to its result.
import { fill, words } from "./text.js";
import { follow, send } from "./service.js";
import { atHome, keepFile, show } from "./view.js";

const AT_ONCE = 3;
const SENT = 0.25; // the part of the bar that the upload fills
const NAMED = { open: "state_open", faces: "state_faces", verdict: "state_verdict", claims: "state_verdict", previews: "state_verdict", done: "state_verdict" };

export const stageKey = (job) => {
  if (job.status === "waiting") return job.ahead ? "state_waiting" : "state_queued";
  return NAMED[job.stage] || "state_evidence";
};

class Row {
  constructor(file, told, alone) {
    this.file = file;
    this.told = told;
    this.alone = alone; // nothing else is being checked: its result may take the place of the page
    this.element = document.createElement("li");
    this.element.className = "job";
    this.name = document.createElement("p");
    this.name.className = "job-name";
    const bdi = document.createElement("bdi");
    bdi.textContent = file.name;
    this.name.append(bdi);
    this.bar = document.createElement("progress");
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.state = document.createElement("p");
    this.state.className = "job-state soft";
    this.element.append(this.name, this.bar, this.state);
    this.say("state_queued");
  }

  say(key, gaps) {
    this.state.textContent = fill(this.told[key] || this.told.problem_internal, gaps);
  }

  progress(part) {
    this.bar.value = Math.max(this.bar.value, part);
  }

  end(text) {
    this.element.classList.add("ended");
    this.state.textContent = text;
  }

  link(id) {
    const link = document.createElement("a");
    link.className = "button";
    link.href = `/checks/${id}`;
    link.textContent = this.told.see_result;
    link.setAttribute("aria-label", `${this.told.see_result}: ${this.file.name}`);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      show(id);
    });
    this.element.append(link);
  }
}

export const start = (form) => {
  const told = words(form);
  const drop = form.querySelector(".drop");
  const picker = document.getElementById("file");
  const camera = document.getElementById("camera");
  const section = document.getElementById("files");
  const list = section.querySelector(".jobs");
  const status = document.getElementById("announce");
  const most = Number(form.dataset.megabytes) * 1024 * 1024;
  const queue = [];
  let busy = 0;

  const announce = (text) => (status.textContent = text);

  const work = async (row) => {
    try {
      if (row.file.size > most) throw Object.assign(new Error(), { code: "too_large" });
      const id = await send(row.file, (part) => {
        row.say("state_upload", { percent: Math.round(part * 100) });
        row.progress(part * SENT);
      });
      keepFile(id, row.file);
      let before = "";
      const level = await follow(id, (job) => {
        const key = stageKey(job);
        row.say(key, { ahead: job.ahead });
        row.progress(SENT + (1 - SENT) * job.part);
        if (key !== before && row.alone) announce(row.state.textContent);
        before = key;
      });
      const result = told[`level_${level}`];
      row.end(result);
      row.link(id);
      if (row.alone && form.isConnected) await show(id);
      else announce(fill(told.result_of, { file: row.file.name, result }));
    } catch (error) {
      const text = told[`problem_${error.code || "internal"}`] || told.problem_internal;
      row.end(text);
      row.element.classList.add("failed");
      announce(fill(told.result_of, { file: row.file.name, result: text }));
    }
  };

  const next = () => {
    while (busy < AT_ONCE && queue.length) {
      busy += 1;
      work(queue.shift()).finally(() => {
        busy -= 1;
        next();
      });
    }
  };

  const take = (files) => {
    if (!files.length) return;
    atHome();
    const alone = files.length === 1 && !busy && !queue.length;
    for (const file of files) {
      const row = new Row(file, told, alone);
      list.append(row.element);
      queue.push(row);
    }
    section.hidden = false;
    section.scrollIntoView({ block: "nearest" });
    next();
  };

  picker.multiple = true;
  picker.required = false;
  for (const input of [picker, camera]) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = "";
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());

  // Also over a result: a browser would otherwise leave Haechi and open the file itself.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
};

// A page that was opened while its check runs.
export const wait = async (job) => {
  const told = words(job);
  const bar = job.querySelector("progress");
  const state = job.querySelector(".job-state");
  try {
    await follow(job.dataset.id, (now) => {
      state.textContent = fill(told[stageKey(now)], { ahead: now.ahead });
      bar.value = Math.max(bar.value, now.part);
    });
    location.replace(`/checks/${job.dataset.id}`);
  } catch (error) {
    state.textContent = told[`problem_${error.code || "internal"}`] || told.problem_internal;
    bar.remove();
  }
};

// What is shown of a call: its state in words, each person with the evidence over time, and what happened so far.
import { clock, fill } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const CHART_S = 120;
const CHART_W = 320;
const CHART_H = 64;
const MOST_PEOPLE = 16;
const MOST_ENTRIES = 50;
const RANK = ["no_picture", "watching", "ask", "alarm"];
const PACE_MS = 1000;

const drawn = (name, attributes = {}) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

class Person {
  constructor(id, told, thresholds) {
    this.id = id;
    this.told = told;
    this.thresholds = thresholds;
    this.points = []; // [seconds, sum of the evidence]
    this.element = document.createElement("li");
    this.element.className = "live-person";
    this.head = document.createElement("h4");
    this.note = document.createElement("p");
    this.note.className = "note";
    this.sum = document.createElement("p");
    this.chart = drawn("svg", { viewBox: `0 0 ${CHART_W} ${CHART_H}`, role: "img", preserveAspectRatio: "none" });
    this.line = drawn("polyline", { class: "live-line" });
    this.marks = ["ask", "alarm"].map((name) => drawn("line", { class: `live-mark ${name}`, x1: 0, x2: CHART_W }));
    this.chart.append(...this.marks, this.line);
    this.element.append(this.head, this.note, this.sum, this.chart);
  }

  percent(value) {
    return Math.round((100 * value) / this.thresholds.alarm);
  }

  show(person, timeS) {
    const { told } = this;
    this.element.dataset.level = person.level;
    this.head.textContent = fill(told.live_person_level, { n: this.id, level: told[`live_level_${person.level}`] });
    this.note.textContent = person.reason || "";
    this.note.hidden = !person.reason;
    const judged = person.level !== "no_picture";
    this.sum.hidden = !judged;
    this.chart.toggleAttribute("hidden", !judged);
    if (!judged) return;
    const last = this.points.at(-1);
    if (last && timeS - last[0] < 1) return; // the evidence changes once a second
    this.points.push([timeS, person.statistic]);
    while (this.points[0][0] < timeS - CHART_S) this.points.shift();
    this.draw(timeS);
  }

  draw(timeS) {
    const most = Math.max(...this.points.map(([, value]) => value));
    const top = 1.15 * Math.max(most, this.thresholds.alarm || 1);
    const y = (value) => (CHART_H * (1 - value / top)).toFixed(1);
    const x = (seconds) => (CHART_W * (1 - (timeS - seconds) / CHART_S)).toFixed(1);
    this.line.setAttribute("points", this.points.map(([seconds, value]) => `${x(seconds)},${y(value)}`).join(" "));
    for (const [index, name] of ["ask", "alarm"].entries()) {
      const at = y(this.thresholds[name] || 0);
      this.marks[index].setAttribute("y1", at);
      this.marks[index].setAttribute("y2", at);
    }
    if (!this.thresholds.alarm) return;
    const gaps = { n: this.id, percent: this.percent(this.points.at(-1)[1]), most: this.percent(most), ask: this.percent(this.thresholds.ask) };
    this.sum.textContent = fill(this.told.live_so_far, gaps);
    this.chart.setAttribute("aria-label", fill(this.told.live_chart, gaps));
  }
}

export class CallView {
  // alarm(title, body): called when the call begins to alarm.
  constructor(place, told, alarm) {
    this.told = told;
    this.alarm = alarm;
    const at = (id) => document.getElementById(id);
    this.beginning = place.querySelector(".live-begin");
    this.now = place.querySelector(".live-now");
    this.panel = place.querySelector(".live-state");
    this.todo = place.querySelector(".live-todo");
    this.log = place.querySelector(".live-log");
    this.video = place.querySelector("video");
    this.word = at("live-word");
    this.means = at("live-means");
    this.reasons = at("live-reasons");
    this.boxes = at("live-boxes");
    this.pace = at("live-pace");
    this.nobody = at("live-nobody");
    this.list = at("live-people");
    this.entries = at("live-entries");
    this.announce = at("live-announce");
    this.cry = at("live-alarm");
    this.troubled = at("live-trouble");
    this.title = document.title;
  }

  trouble(text) {
    this.troubled.textContent = text;
    this.troubled.hidden = !text;
    this.troubled.classList.add("bad");
  }

  begin(stream) {
    this.people = new Map();
    this.levels = new Map();
    this.level = "";
    this.told_reasons = "";
    this.timeS = 0;
    this.alarmed = false;
    this.thresholds = {};
    this.waits = [];
    this.paceMs = 0;
    this.boxes.replaceChildren();
    this.list.replaceChildren();
    this.entries.replaceChildren();
    this.reasons.hidden = this.todo.hidden = true;
    this.pace.textContent = this.cry.textContent = this.means.textContent = "";
    this.nobody.hidden = false;
    this.panel.dataset.level = "no_picture";
    this.word.textContent = this.announce.textContent = this.told.live_loading;
    this.beginning.hidden = true;
    this.now.hidden = this.log.hidden = false;
    this.log.hidden = true;
    this.video.srcObject = stream;
    this.video.play().catch(() => {});
    this.now.focus();
  }

  end(text, failed) {
    this.now.hidden = true;
    this.beginning.hidden = false;
    document.title = this.title;
    this.announce.textContent = "";
    this.trouble(failed ? `${this.told.live_failed} ${text}` : text);
    this.troubled.classList.toggle("bad", failed);
    this.beginning.querySelector("button:enabled").focus();
  }

  ready(thresholds) {
    this.thresholds = thresholds || {};
  }

  // No answer comes: what was shown last does not hold any more.
  late() {
    this.state({ level: "no_picture", people: [], reasons: [this.told.live_late], time_s: this.timeS });
  }

  happened(text) {
    this.enter(fill(this.told.live_entry, { time: clock(this.timeS), level: text }));
  }

  state(state) {
    this.timeS = state.time_s;
    if (state.level !== this.level) this.change(state);
    const reasons = state.reasons.join("\n");
    if (reasons !== this.told_reasons) {
      this.told_reasons = reasons;
      this.reasons.replaceChildren(
        ...state.reasons.map((text) => {
          const line = document.createElement("li");
          line.textContent = text;
          return line;
        }),
      );
      this.reasons.hidden = !reasons;
      if (reasons) this.announce.textContent = `${this.word.textContent}. ${state.reasons[0]}`;
    }
    this.showPeople(state);
    this.showPace(state);
  }

  change(state) {
    const { told } = this;
    const before = this.level;
    this.level = state.level;
    this.panel.dataset.level = state.level;
    this.word.textContent = told[`live_level_${state.level}`];
    this.means.textContent = told[`live_means_${state.level}`];
    this.alarmed = this.alarmed || state.level === "alarm";
    this.todo.hidden = state.level !== "ask" && !this.alarmed;
    document.title = `${this.word.textContent} – ${this.title}`;
    const whole = `${this.word.textContent}. ${this.means.textContent}`;
    if (state.level === "alarm") this.cry.textContent = whole;
    else this.announce.textContent = whole;
    if (state.level === "alarm" && before !== "alarm") this.alarm(this.word.textContent, this.means.textContent);
    this.enter(fill(told.live_entry, { time: clock(state.time_s), level: this.word.textContent }));
  }

  enter(text) {
    const line = document.createElement("li");
    line.textContent = text;
    this.entries.append(line);
    while (this.entries.children.length > MOST_ENTRIES) this.entries.firstChild.remove();
    this.log.hidden = false;
  }

  showPeople(state) {
    const { told } = this;
    const shown = [...state.people]
      .sort((a, b) => RANK.indexOf(b.level) - RANK.indexOf(a.level) || a.id - b.id)
      .slice(0, MOST_PEOPLE);
    const here = new Set(shown.map((person) => person.id));
    for (const [id, person] of this.people) {
      if (here.has(id)) continue;
      person.element.remove();
      this.people.delete(id);
    }
    for (const person of shown) {
      if (!this.people.has(person.id)) {
        this.people.set(person.id, new Person(person.id, told, this.thresholds));
        this.list.append(this.people.get(person.id).element);
      }
      this.people.get(person.id).show(person, state.time_s);
      const before = this.levels.get(person.id) || "watching";
      // With one person in the picture the state of the call has said it already.
      if (state.people.length > 1 && person.level !== before && RANK.indexOf(person.level) > 1) {
        const gaps = { time: clock(state.time_s), n: person.id, level: told[`live_level_${person.level}`] };
        this.enter(fill(told.live_entry_person, gaps));
      }
      this.levels.set(person.id, person.level);
    }
    if (this.levels.size > 1000) this.levels.clear();
    const more = state.people.length - shown.length;
    this.nobody.hidden = state.people.length > 0 && !more;
    if (more) this.nobody.textContent = fill(told.live_leave_people, { n: more });
    this.showBoxes(state, shown);
  }

  showBoxes(state, people) {
    if (!state.size) return;
    const [width, height] = state.size;
    this.boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const size = Math.max(width, height) / 28;
    this.boxes.replaceChildren(
      ...people.flatMap(({ id, level, box: [left, top, right, bottom] }) => {
        const frame = drawn("rect", { x: left, y: top, width: right - left, height: bottom - top, class: `live-box ${level}` });
        const number = drawn("text", { x: left, y: Math.max(top - size * 0.25, size), "font-size": size, class: `live-number ${level}` });
        number.textContent = id;
        return [frame, number];
      }),
    );
  }

  showPace(state) {
    const now = performance.now();
    if (!this.paceMs) this.paceMs = now;
    if (state.size) this.waits.push(state.waitMs);
    if (now - this.paceMs < PACE_MS) return;
    const seconds = (now - this.paceMs) / 1000;
    if (this.waits.length) {
      const gaps = { fps: (this.waits.length / seconds).toFixed(1), ms: Math.round(Math.max(...this.waits)) };
      this.pace.textContent = fill(this.told.live_pace, gaps);
    }
    this.waits = [];
    this.paceMs = now;
  }
}

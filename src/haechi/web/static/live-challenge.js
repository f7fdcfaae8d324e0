// What the other side is asked for: the words to say, the time that is left, whether it was seen, what follows.
import { fill } from "./text.js";

export class ChallengeView {
  // order(order): sends one to the local Haechi; announce(text): for those who listen; enter(text): what happened so far.
  constructor(told, order, announce, enter) {
    Object.assign(this, { told, announce, enter });
    const at = (id) => document.getElementById(`challenge-${id}`);
    this.place = document.querySelector(".live-challenge");
    this.parts = Object.fromEntries(
      ["lead", "now", "who", "say", "state", "time", "bar", "left", "advice", "judge", "yes", "no", "draw", "word"].map((id) => [id, at(id)]),
    );
    const { yes, no, draw, word } = this.parts;
    draw.addEventListener("click", () => order({ do: "ask", challenge: "" }));
    word.addEventListener("click", () => order({ do: "ask", challenge: "word" }));
    for (const [button, done] of [[yes, true], [no, false]]) {
      button.addEventListener("click", () => {
        order({ do: "judge", done });
        draw.focus(); // the button goes
      });
    }
    this.begin();
  }

  begin() {
    const { now, lead, draw, word, yes, no } = this.parts;
    now.hidden = yes.hidden = no.hidden = true;
    lead.hidden = false;
    draw.disabled = word.disabled = true;
    this.last = "";
    this.place.classList.remove("due");
  }

  state(state) {
    const { parts, told } = this;
    const { challenge } = state;
    const due = state.level === "ask" || state.level === "alarm";
    const open = challenge && !challenge.advice && challenge.status !== "done";
    this.place.classList.toggle("due", due);
    parts.draw.classList.toggle("primary", due && !open);
    parts.draw.disabled = parts.word.disabled = !state.people.length;
    parts.now.hidden = !challenge;
    parts.lead.hidden = Boolean(challenge);
    if (!challenge) return;
    const byUser = challenge.judge === "user";
    parts.yes.hidden = parts.no.hidden = !(byUser && open);
    parts.time.hidden = challenge.left_s === null;
    if (challenge.left_s !== null) {
      parts.bar.value = challenge.left_s;
      parts.left.textContent = fill(told.challenge_left, { seconds: Math.ceil(challenge.left_s) });
    }
    const now = [challenge.name, challenge.status, challenge.advice, challenge.person_id].join();
    if (now === this.last) return;
    const same = this.last.startsWith(`${challenge.name},`) && challenge.status !== "asked";
    this.last = now;
    parts.who.textContent = fill(told.challenge_say, { n: challenge.person_id });
    parts.say.textContent = challenge.say;
    parts.judge.textContent = byUser ? told.challenge_by_user : told.challenge_by_video;
    parts.state.textContent = challenge.status === "asked" ? "" : challenge.text;
    parts.advice.firstElementChild.textContent = challenge.advice_text;
    const news = same ? [challenge.text, challenge.advice_text].filter(Boolean).join(" ") : challenge.text;
    this.announce(news);
    if (challenge.status === "done" && !challenge.advice) return; // what follows comes in a moment
    if (challenge.status !== "begun") this.enter(news);
  }
}

// Two pages of a case: looking for copies in many files, and taking a letter along.
import { words } from "./text.js";

export const startMatch = (form) => {
  const section = document.getElementById("match-section");
  const list = document.getElementById("match-list");
  const bar = document.getElementById("match-progress");
  const picker = document.getElementById("file");
  const folder = document.getElementById("folder");
  picker.multiple = true;
  picker.required = false;

  const say = (text) => {
    const line = document.createElement("li");
    line.textContent = text;
    list.append(line);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...picker.files, ...folder.files].filter((file) => /^(image|video)\//.test(file.type));
    if (!files.length) {
      picker.focus();
      return;
    }
    const button = form.querySelector('button[type="submit"]');
    button.disabled = true;
    list.replaceChildren();
    section.hidden = bar.hidden = false;
    for (const [done, file] of files.entries()) {
      const body = new FormData();
      body.append("file", file, file.name);
      bar.value = done / files.length;
      try {
        const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = page.querySelectorAll("#match-list li");
        const told = found.length ? [...found].map((line) => line.textContent) : [page.querySelector(".lead").textContent];
        told.forEach(say);
      } catch {
        say(words(form).problem_offline); // what was found so far stays
        break;
      }
    }
    bar.hidden = true;
    button.disabled = false;
  });
};

export const startLetter = (letter) => {
  const text = letter.querySelector(".letter");
  const said = document.getElementById("copied");
  document.getElementById("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = words(letter).letter_copied;
    } catch {
      getSelection().selectAllChildren(text); // not allowed here: the text is marked, to be copied by hand
    }
  });
};

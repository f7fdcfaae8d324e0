// The form that makes evidence of a result: the file that this tab still holds need not be chosen again.
import { fill, words } from "./text.js";

export const start = (form, file, put) => {
  if (!file) return;

  const again = form.querySelector(".file-again");
  const here = form.querySelector(".file-here");
  again.hidden = true;
  again.querySelector("input").required = false;
  here.textContent = fill(words(form).add_file_here, { file: file.name });
  here.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector('button[type="submit"]');
    button.disabled = true;
    const body = new FormData(form);
    body.set("file", file, file.name);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      if (answer.redirected) location.assign(answer.url);
      else await put(await answer.text(), form.action);
    } catch {
      here.textContent = words(form).problem_offline;
      button.disabled = false; // what was typed stays, to try again
    }
  });
};

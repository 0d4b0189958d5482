// The Markdown of the post form, shown beside it while it is written. Without this file the button opens a page.

const DELAY = 600;

function start() {
  const box = document.querySelector(".markdown-preview");
  const source = document.querySelector("textarea.markdown-source");
  if (!box || !source) return;
  const shown = box.querySelector(".markdown-rendered");
  const title = document.querySelector("input[name=title]");
  source.closest(".form-row").append(box); // under the text, instead of at the end of the form
  let timer = 0;
  let latest = 0;

  async function show() {
    const number = ++latest;
    const body = new URLSearchParams({ title: title ? title.value : "", body: source.value });
    try {
      const response = await fetch(box.dataset.previewUrl, {
        method: "POST",
        body,
        headers: { "X-Requested-With": "fetch" },
      });
      const text = await response.text();
      if (number !== latest) return; // a later keystroke was answered first
      if (response.ok) shown.innerHTML = text; // cleaned by the server, as every reader gets it
      else shown.textContent = response.status === 422 ? text : "";
    } catch {
      shown.textContent = "";
    }
  }

  source.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, DELAY);
  });
  box.querySelector("button").addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  if (source.value) show();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();

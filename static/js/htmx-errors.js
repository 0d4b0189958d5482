// A refused or failed htmx request must not end in silence: repeat it the plain way, whose answer is a whole page.
"use strict";
document.addEventListener("htmx:responseError", (event) => {
  const source = event.detail.elt;
  const form = source.closest("form");
  if (form && form.method === "post") form.submit();
  else if (source.href) location.assign(source.href);
});

// How htmx behaves here. It starts when the page has been read, which is after this.
"use strict";
Object.assign(htmx.config, {
  includeIndicatorStyles: false, // they are inline styles, which the policy forbids
  allowEval: false,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});
// A refused or failed htmx request must not end in silence: repeat it the plain way, whose answer is a whole page.
document.addEventListener("htmx:responseError", (event) => {
  const source = event.detail.elt;
  const form = source.closest("form");
  if (form && form.method === "post") form.submit();
  else if (source.href) location.assign(source.href);
});

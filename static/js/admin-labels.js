// Django's admin leaves the fields of tables, and of dates with times, without a name of their own: take the one shown.
"use strict";
(() => {
  const name = (field, text) => {
    if (text && !field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", text);
  };
  const label = (root) => {
    root.querySelectorAll(".tabular td[class*='field-'] :is(input, select, textarea):not([type=hidden])").forEach((field) => {
      const column = [...field.closest("td").classList].find((each) => each.startsWith("field-"))?.slice(6);
      name(field, field.closest("table").querySelector(`th.column-${column}`)?.textContent.trim());
    });
    root.querySelectorAll("#result_list td[class*='field-'] :is(input, select, textarea):not([type=hidden])").forEach((field) => {
      const column = [...field.closest("td").classList].find((each) => each.startsWith("field-")).slice(6);
      const row = field.closest("tr").querySelector("th")?.textContent.trim();
      name(field, `${root.querySelector(`#result_list th.column-${column} .text`)?.textContent.trim()}, ${row}`);
    });
    root.querySelectorAll(".tabular td.delete input").forEach((field) => name(field, field.closest("table").querySelector("thead th:last-child")?.textContent.trim()));
    root.querySelectorAll(".datetime input, .date input").forEach((field) => name(field, field.previousSibling?.textContent.trim()));
    root.querySelectorAll("#searchbar").forEach((field) => field.setAttribute("aria-label", document.querySelector("#changelist-search [type=submit]")?.value || "Search"));
    root.querySelectorAll(".inline-group").forEach((group) => { group.tabIndex = 0; });
    root.querySelectorAll(".tabular thead th:empty").forEach((cell) => cell.replaceWith(Object.assign(document.createElement("td"), { className: cell.className })));
  };
  document.addEventListener("DOMContentLoaded", () => label(document));
  window.addEventListener("load", () => setTimeout(() => {
    document.querySelectorAll("span.help-tooltip[aria-label]").forEach((sign) => sign.setAttribute("role", "img"));
  }));
  document.addEventListener("formset:added", (event) => label(event.target.closest(".inline-group")));
})();

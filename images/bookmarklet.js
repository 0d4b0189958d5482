/* The whole bookmarklet. It runs on other people's pages: it only reads, and opens our page in a new window,
   or in the same one where new windows are blocked.
   images/templatetags/images_tags.py folds it into one javascript: link and fills in SITE. Statements end in a
   semicolon and comments stand on lines of their own, so that folding the lines is all the minifying there is. */
(function () {
  const LEAST = 120 * 120;
  const found = new Map();
  const add = function (address, weight) {
    try {
      const url = new URL(address, document.baseURI).href;
      if (/^https?:/.test(url) && url.length < 1500) { found.set(url, Math.max(weight, found.get(url) || 0)); }
    } catch (error) { return; }
  };
  const largest = function (srcset) {
    const sized = (srcset || '').split(/,\s+/).map(function (part) {
      const words = part.trim().split(/\s+/);
      return [words[0], parseFloat(words[1]) || 1];
    });
    sized.sort(function (one, other) { return other[1] - one[1]; });
    return sized[0][0];
  };
  /* Pages that load late keep the real address in data- attributes until somebody scrolls there. */
  const set = function (element) { return largest(element.getAttribute('srcset') || element.dataset.srcset); };
  const source = function (img) {
    const sources = Array.from(img.parentElement.querySelectorAll(':scope > source')).filter(function (each) {
      return /^(image\/(jpeg|png|webp|gif))?$/.test(each.type) && set(each);
    });
    const late = img.dataset.src || img.dataset.lazySrc || img.dataset.original;
    return sources.length ? set(sources[0]) : set(img) || late || img.currentSrc || img.src;
  };
  document.querySelectorAll('meta[property^="og:image"], meta[name^="twitter:image"]').forEach(function (meta) {
    add(meta.content, 1e9);
  });
  document.querySelectorAll('img').forEach(function (img) {
    const area = Math.max(img.naturalWidth * img.naturalHeight, img.offsetWidth * img.offsetHeight);
    if (area >= LEAST) { add(source(img), area); }
  });
  Array.from(document.body.getElementsByTagName('*')).slice(0, 4000).forEach(function (element) {
    const match = /url\(["']?(http[^"')]+|[^"':)]+)["']?\)/.exec(getComputedStyle(element).backgroundImage);
    const area = element.offsetWidth * element.offsetHeight;
    if (match && area >= LEAST) { add(match[1], area); }
  });
  const query = new URLSearchParams({ page: location.href.slice(0, 1500), title: document.title.slice(0, 200) });
  const chosen = String(getSelection()).trim();
  if (chosen) { query.append('description', chosen.slice(0, 1000)); }
  const best = Array.from(found).sort(function (one, other) { return other[1] - one[1]; });
  for (const pair of best.slice(0, 24)) {
    if (String(query).length + pair[0].length < 6000) { query.append('url', pair[0]); }
  }
  const address = SITE + '?' + query;
  /* Not 'noopener': it answers null whether the window opened or not. */
  const opened = window.open(address, '_blank');
  if (opened) { opened.opener = null; } else { location.href = address; }
})();

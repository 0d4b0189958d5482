// Shows a chosen picture before it is sent: <input type="file" data-preview="id of an img">.
document.querySelectorAll("input[type=file][data-preview]").forEach((input) => {
  const picture = document.getElementById(input.dataset.preview);
  if (!picture) return;
  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file || !input.accept.split(",").includes(file.type)) return;
    // A data: address, because the site's policy allows no blob: ones.
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      picture.src = reader.result;
      picture.hidden = false;
    });
    reader.readAsDataURL(file);
  });
});

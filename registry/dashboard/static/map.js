// Reads the map out under the pointer. Everything it says stands in the table too; without it nothing is lost.
"use strict";

for (const figure of document.querySelectorAll(".map-figure")) {
  const map = figure.querySelector(".map");
  const readout = figure.querySelector(".readout");
  if (!map || !readout) continue;
  const rest = readout.textContent;
  // The browser's own hint would say the same a second time.
  for (const title of map.querySelectorAll(".area > title")) {
    title.parentNode.dataset.label = title.textContent;
    title.remove();
  }
  const point = (event) => {
    const area = event.target.closest("[data-label]");
    for (const pointed of map.querySelectorAll(".pointed")) pointed.classList.remove("pointed");
    readout.textContent = area ? area.dataset.label : rest;
    if (area) area.classList.add("pointed");
  };
  map.addEventListener("pointerover", point);
  map.addEventListener("pointerleave", point);
}

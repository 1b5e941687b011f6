// Charts beside their tables: what is drawn stands in the attributes of the element, as the server wrote it.
"use strict";

const COLOURS = ["#8f3a12", "#0b57a4"];

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".chart")) {
    const days = JSON.parse(box.dataset.x).map((day) => Date.parse(day.length === 7 ? `${day}-01` : day) / 1000);
    const series = JSON.parse(box.dataset.series);
    const months = box.dataset.chart === "bars";
    const same = box.hasAttribute("data-one-scale"); // numbers of one kind are compared on one scale, from zero
    const scale = (at) => (same ? "y0" : `y${at}`);
    const written = (at) => {
      const day = new Date(at * 1000);
      const month = `${String(day.getUTCMonth() + 1).padStart(2, "0")}/${day.getUTCFullYear()}`;
      return months ? month : `${String(day.getUTCDate()).padStart(2, "0")}/${month}`;
    };
    const axis = (side, scale) => ({ side, scale, grid: { show: side === 3 }, ...(months && { incrs: [1, 2, 5, 10] }) });
    const around = months ? 20 * 86400 : 3 * 86400;
    new uPlot({
      width: Math.min(box.clientWidth, 900),
      height: 260,
      cursor: { drag: { x: false, y: false } },
      legend: { show: series.length > 1 },
      scales: {
        x: { time: false, range: (_, first, last) => [first - around, last + around] },
        ...(same && { y0: { range: (_, low, high) => [0, Math.max(high, 1) * 1.1] } }),
      },
      axes: [{ values: (_, ticks) => ticks.map(written), space: 90 }, ...series.slice(0, same ? 1 : 2).map((_, at) => axis(at ? 1 : 3, `y${at}`))],
      series: [
        { label: document.documentElement.lang === "vi" ? "Ngày" : "Day", value: (_, at) => (at === null ? "" : written(at)) },
        ...series.map(([label], at) => ({
          label,
          scale: scale(at),
          stroke: COLOURS[at],
          width: 2,
          spanGaps: true,
          points: { show: !months, size: 7 },
          fill: months ? "#e7cdbf" : undefined,
          paths: months ? uPlot.paths.bars({ size: [0.6, 60] }) : undefined,
        })),
      ],
    }, [days, ...series.map(([, values]) => values)], box);
  }
});

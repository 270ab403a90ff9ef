// Small charts of the last two minutes: a path in an SVG, of which each update changes one attribute.

import { svg } from './dom.mjs';
const WIDTH = 120;
const HEIGHT = 28;
const TOP = 2;
const SPAN_MS = 120_000;

const y = (value, max) => HEIGHT - 1 - (Math.min(value, max) / max) * (HEIGHT - 1 - TOP);

// The lines between points that are next to each other; a null is a gap, a point alone a short dash. The last of `times` is that of the last
// value; the right end is now.
function line(values, times, max, fillsDown) {
  const now = times[times.length - 1];
  let path = '';
  let isOpen = false;
  values.forEach((value, i) => {
    const x = WIDTH * (1 - (now - times[times.length - values.length + i]) / SPAN_MS);
    if (value === null || x < 0) { isOpen = false; return; }
    const here = `${x.toFixed(1)} ${y(value, max).toFixed(1)}`;
    path += isOpen ? `L${here}` : `M${fillsDown ? `${x.toFixed(1)} ${HEIGHT}L` : ''}${here}h.1`;
    isOpen = true;
    const isLast = i + 1 === values.length || values[i + 1] === null;
    if (fillsDown && isLast) path += `V${HEIGHT}Z`;
  });
  return path;
}

export class Chart {
  // `kinds`: the class of each series; `label`: what is shown, for who cannot see it. `area`: fills below the first series.
  constructor(label, kinds, { area = false } = {}) {
    this.area = area ? svg('path', { class: `area ${kinds[0]}` }) : null;
    this.lines = kinds.map((kind) => svg('path', { class: `line ${kind}` }));
    this.element = svg('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      svg('path', { class: 'base', d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }), this.area, ...this.lines);
    this.shown = [];
  }

  // One array of values or nulls for each kind, taken at the last of `times`; `least`: what the full height means at least.
  update(series, times, least) {
    const most = Math.max(...series.map((values) => values.reduce((sum, value) => Math.max(sum, value ?? 0), 0)));
    const max = Math.max(least, most);
    const pathOf = (values, fillsDown) => (most > 0 ? line(values, times, max, fillsDown) : ''); // nothing but zeros is the base line
    series.forEach((values, i) => this.draw(i, this.lines[i], pathOf(values, false)));
    if (this.area) this.draw('area', this.area, pathOf(series[0], true));
  }

  draw(key, path, d) {
    if (this.shown[key] === d) return;
    this.shown[key] = d;
    path.setAttribute('d', d);
  }
}

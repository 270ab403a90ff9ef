'use strict';
// Sets of time: lists of [from, to) in order, apart from each other. `to` is Infinity while it lasts.

function intersect(...sets) {
  return sets.reduce((one, other) => {
    const result = [];
    for (let i = 0, j = 0; i < one.length && j < other.length;) {
      const from = Math.max(one[i][0], other[j][0]);
      const to = Math.min(one[i][1], other[j][1]);
      if (from < to) result.push([from, to]);
      if (one[i][1] < other[j][1]) i++; else j++;
    }
    return result;
  });
}

function unite(...sets) {
  const result = [];
  for (const [from, to] of sets.flat().sort((a, b) => a[0] - b[0])) {
    const last = result[result.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

// Begins later and ends earlier, each by so much.
const shrink = (set, afterBegin, beforeEnd = 0) => (
  set.map(([from, to]) => [from + afterBegin, to - beforeEnd]).filter(([from, to]) => from < to));

// When it is not so.
function complement(set) {
  const result = [];
  let from = -Infinity;
  for (const [begin, end] of set) {
    if (from < begin) result.push([from, begin]);
    from = end;
  }
  if (from < Infinity) result.push([from, Infinity]);
  return result;
}

const covers = (set, from, to) => set.some(([begin, end]) => begin <= from && to < end);

const touches = (set, from, to) => set.some(([begin, end]) => begin <= to && from < end);

// Something that is so at times, as it is told.
class Timeline {
  constructor() { this.spans = []; }

  get isOn() { return this.spans.length > 0 && this.spans[this.spans.length - 1][1] === Infinity; }

  set(isOn, at) {
    if (isOn === this.isOn) return;
    if (isOn) {
      this.spans.push([at, Infinity]);
      return;
    }
    const last = this.spans[this.spans.length - 1];
    if (at > last[0]) last[1] = at; else this.spans.pop();
  }
}

module.exports = { Timeline, complement, covers, intersect, shrink, touches, unite };

'use strict';
// Random numbers from a seed (mulberry32). Each use has a stream of its own, so that what one draws does not shift another.

class Random {
  constructor(seed, name) {
    this.state = seed >>> 0;
    for (const letter of name) this.state = (Math.imul(this.state, 31) + letter.codePointAt(0)) >>> 0;
  }

  // 0 <= next() < 1
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  // A whole number, both ends included.
  between(low, high) { return low + Math.floor(this.next() * (high - low + 1)); }

  pick(list) { return list[this.between(0, list.length - 1)]; }

  chance(probability) { return this.next() < probability; }

  bytes(size) { return Buffer.from(Array.from({ length: size }, () => this.between(0, 255))); }
}

module.exports = { Random };

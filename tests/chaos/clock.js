'use strict';
// Milliseconds since the run began, for everything that is compared.

class Clock {
  constructor() { this.began = performance.now(); }

  now() { return performance.now() - this.began; }

  text(ms = this.now()) { return `${(ms / 1000).toFixed(3)} s`; }
}

module.exports = { Clock };

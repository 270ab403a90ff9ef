'use strict';
// The judge of the distribution tests is judged itself.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { chiSquare } = require('./lib/chi-square');

const map = (object) => new Map(Object.entries(object));

describe('The chi-square test', () => {
  it('gives the values of the tables', () => {
    // One degree of freedom: 3.841 at 5 %, 6.635 at 1 %; three: 7.815 at 5 %.
    const off = (statistic) => 500 + Math.sqrt(statistic * 250);
    assert.ok(Math.abs(chiSquare(map({ a: off(3.841), b: 1000 - off(3.841) }), map({ a: 0.5, b: 0.5 })) - 0.05) < 1e-4);
    assert.ok(Math.abs(chiSquare(map({ a: off(6.635), b: 1000 - off(6.635) }), map({ a: 0.5, b: 0.5 })) - 0.01) < 1e-4);
    const four = map({ a: 250 + Math.sqrt(7.815 * 125), b: 250 - Math.sqrt(7.815 * 125), c: 250, d: 250 });
    assert.ok(Math.abs(chiSquare(four, map({ a: 0.25, b: 0.25, c: 0.25, d: 0.25 })) - 0.05) < 1e-4);
  });

  it('refuses what is clearly otherwise, what cannot come, and promises that do not sum to one', () => {
    assert.ok(chiSquare(map({ a: 2200, b: 7800 }), map({ a: 0.2, b: 0.8 })) < 1e-6);
    assert.ok(chiSquare(map({ a: 2050, b: 7950 }), map({ a: 0.2, b: 0.8 })) > 0.1);
    assert.equal(chiSquare(map({ a: 10, c: 1 }), map({ a: 1, b: 0 })), 0);
    assert.equal(chiSquare(map({ a: 10 }), map({ a: 0.9 })), 0);
    assert.equal(chiSquare(map({ a: 10 }), map({ a: 1 })), 1);
  });
});

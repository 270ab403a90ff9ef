'use strict';
// What an operator finds in the log stands in the manual.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { fixedTexts, loggedTexts } = require('./lib/log-lines');
const { scenario } = require('./lib/stage');

const MANUAL = fs.readFileSync(path.join(__dirname, '../../docs/operations.md'), 'utf8');

scenario('The manual of operations', ({ it }) => {
  it('has every warning and every error that is logged', () => {
    const logged = loggedTexts();
    assert.ok(logged.length > 60, `found ${logged.length} of them in the source`);
    const missing = logged.filter(({ text }) => !MANUAL.includes(text));
    assert.deepEqual(missing, [], 'docs/operations.md, "Lines in the log", says what each line means and what to do');
  });

  it('is compared with the longest text that is the same in all lines of a call', () => {
    const cases = {
      '"{}: its lease was not renewed: it is withdrawn", id': [': its lease was not renewed: it is withdrawn'],
      '"the sum of "\n  "two literals {}"': ['the sum of two literals'],
      'a, b, "provider " + address + " cannot be connected to: " + why': ['cannot be connected to:'],
      'is_one ? "it is given up: again" : "it is given up: too many"': ['it is given up: again', 'it is given up: too many'],
      '"{}: {}", name, sentence': [],
    };
    for (const [call, texts] of Object.entries(cases)) assert.deepEqual(fixedTexts(call), texts);
  });

  it('has the headings that its links lead to', () => {
    const anchors = new Set([...MANUAL.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-')));
    for (const [, anchor] of MANUAL.matchAll(/\]\(#([^)]*)\)/g)) assert.ok(anchors.has(anchor), anchor);
  });
});

'use strict';
// A soak (scripts/soak) of some seconds, with faults of its own each time; its first line names the seed.

const assert = require('node:assert/strict');
const path = require('node:path');
const { scenario } = require('./lib/stage');

const SOAK = path.join(__dirname, '../soak/main.js');
const MINUTES = '0.25';
const RATE = '500'; // other tests want the processor, too

scenario('A short soak', ({ stage, it }) => {
  it('answers every request exactly once, and leaks nothing', async () => {
    const soak = stage.start('soak', process.execPath, [SOAK, MINUTES, '--rate', RATE]);
    const { code } = await soak.ended;
    assert.equal(code, 0, soak.logFromItsEnd);
  });
});

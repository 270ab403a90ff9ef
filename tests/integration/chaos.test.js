'use strict';
// Some random steps of scripts/chaos, others each time; the first line of its output names the seed, and SKIFF_CHAOS_SEED repeats it.

const assert = require('node:assert/strict');
const path = require('node:path');
const { scenario } = require('./lib/stage');

const CHAOS = path.join(__dirname, '../chaos/main.js');
const MINUTES = '1';
const STEPS = '35';

scenario('Random steps', ({ stage, it }) => {
  it('leave everything as it was asked for, and cost no call that could be answered', async () => {
    const seed = process.env.SKIFF_CHAOS_SEED ? [process.env.SKIFF_CHAOS_SEED] : [];
    const chaos = stage.start('chaos', process.execPath, [CHAOS, MINUTES, ...seed, '--steps', STEPS]);
    const { code } = await chaos.ended;
    assert.equal(code, 0, chaos.log);
  });
});

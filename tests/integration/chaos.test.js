'use strict';
// The random steps of scripts/chaos, others each time; the first line of its output names the seed, and SKIFF_CHAOS_SEED repeats it.

const assert = require('node:assert/strict');
const path = require('node:path');
const { scenario } = require('./lib/stage');

const CHAOS = path.join(__dirname, '../chaos/main.js');
// 200 steps take some 4 minutes on two busy CPUs; fewer within the time are a failure.
const MINUTES = 10;
const STEPS = 200;
// The last step and the comparison at the end may be over that.
const LIMIT_MS = (MINUTES + 5) * 60_000;

scenario('Random steps', ({ stage, it }) => {
  it('leave everything as it was asked for, and cost no call that could be answered', async () => {
    const seed = process.env.SKIFF_CHAOS_SEED ? [process.env.SKIFF_CHAOS_SEED] : [];
    const chaos = stage.start('chaos', process.execPath, [CHAOS, String(MINUTES), ...seed, '--steps', String(STEPS)]);
    const { code } = await chaos.ended;
    assert.equal(code, 0, chaos.logFromItsEnd);
  }, LIMIT_MS);
});

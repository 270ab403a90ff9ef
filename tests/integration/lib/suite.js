'use strict';
// A test file's frame: one stage for all its tests, ended after them, its logs shown when a test failed.

const { describe, before, after } = require('node:test');
const { Stage } = require('./processes');

// suite('name', { before: async (stage) => context }, (context) => { it(...) }): `context` is filled before the tests run.
function suite(name, prepare, define) {
  describe(name, { concurrency: false }, () => {
    const stage = new Stage();
    const context = { stage };
    let done = 0;
    before(async () => {
      try {
        Object.assign(context, await prepare(stage));
        done = 1;
      } finally {
        if (!done) stage.printLogs();
      }
    });
    after(() => stage.stopAll());
    define(context);
    if (process.env.SKIFF_TEST_LOGS) after(() => stage.printLogs());
  });
}

module.exports = { suite };

'use strict';
// The agent of the far provider ends. The near one never does: it is the one that is looked at.

const { CLOSED } = require('../fault-log');
const { FAR, MIXED } = require('../world');

// Its old session may outlive it, its new one begins when the registry is there.
const RESTART_GRACE_MS = 10_000;

const ending = (name, explains, signal) => ({
  name,
  make: (world) => ({
    target: 'far', services: [FAR, MIXED], explains, graceMs: RESTART_GRACE_MS, locks: ['far'],
    begin: async () => {
      world.far.running.kill(signal);
      const { code } = await world.far.running.ended;
      if (signal === 'SIGTERM' && code !== 0) throw new Error(`the far agent ended with ${code} after SIGTERM`);
      return () => world.restartFar();
    },
  }),
});

module.exports = [ending('far agent drained', [60, 80, CLOSED], 'SIGTERM'), ending('far agent killed', [60, 80, CLOSED], 'SIGKILL')];

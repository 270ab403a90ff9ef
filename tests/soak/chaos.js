'use strict';
// Faults at random, one or several at a time, each for a while. The seed decides which ones, in which order, and how long; what cannot be
// when its turn comes, since another fault has its target, is left out.

const { pause } = require('../integration/lib/wait');

const KINDS = [...require('./faults/providers'), ...require('./faults/consumers'), ...require('./faults/registry'), ...require('./faults/far-agent')];

const AT_ONCE = 3;
const GAP_MS = [100, 900];
const DURATION_MS = [300, 4_000];

class Chaos {
  constructor(world, random, faultLog) { Object.assign(this, { world, random, faultLog, active: new Set() }); }

  // Until `isOver`; returns when every fault was healed.
  async run(isOver) {
    while (!isOver() && !this.failure) {
      await pause(this.random.between(...GAP_MS));
      const kind = this.random.pick(KINDS);
      const fault = { name: kind.name, shares: [], ...kind.make(this.world, this.random) };
      const durationMs = this.random.between(...DURATION_MS);
      if (this.active.size < AT_ONCE && this.isFree(fault)) this.apply({ durationMs, ...fault });
    }
    await Promise.all([...this.active].map(({ done }) => done));
    if (this.failure) throw this.failure;
  }

  // Locks are for one fault, what is shared is for those that share it.
  isFree({ locks, shares }) {
    return [...this.active].every(({ fault }) => !locks.some((name) => fault.locks.includes(name) || fault.shares.includes(name))
      && !shares.some((name) => fault.locks.includes(name)));
  }

  apply(fault) {
    const one = { fault };
    one.done = this.suffer(fault).catch((error) => { this.failure = error; }).finally(() => this.active.delete(one));
    this.active.add(one);
  }

  async suffer(fault) {
    const entry = this.faultLog.begin(fault);
    const heal = await fault.begin();
    await pause(fault.durationMs);
    await heal();
    this.faultLog.end(entry);
  }
}

module.exports = { Chaos };

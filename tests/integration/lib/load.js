'use strict';
// Calls that go on while something else happens to the agent.

const { RawConsumer } = require('./raw-consumer');
const { eventually, pause } = require('./wait');

class Load {
  // `loops` callers on each of `connections`, each making one call after another, `pauseMs` apart; `spec()` says which.
  static async start(stage, port, spec, { connections = 4, loops = 8, pauseMs = 0 } = {}) {
    const load = new Load(pauseMs);
    for (let i = 0; i < connections; i++) {
      const consumer = await RawConsumer.connect(stage, port);
      for (let j = 0; j < loops; j++) load.callers.push(load.run(consumer, spec));
    }
    return load;
  }

  constructor(pauseMs) { Object.assign(this, { pauseMs, callers: [], stopping: false, answered: 0, values: new Map(), failures: [] }); }

  async run(consumer, spec) {
    while (!this.stopping) {
      try {
        if (this.pauseMs > 0) await pause(this.pauseMs);
        const answer = await consumer.call(spec());
        if (answer.status !== 20) throw new Error(`status ${answer.status}: ${answer.message}`);
        this.answered++;
        this.values.set(answer.value, (this.values.get(answer.value) || 0) + 1);
      } catch (error) {
        this.failures.push(error.message);
        if (consumer.hasEnded) return;
      }
    }
  }

  // Returns when `count` more calls than now were answered.
  more(count) {
    const goal = this.answered + count;
    return eventually(() => this.answered >= goal || this.failures.length > 0, `${count} further calls`);
  }

  // How often each value came since the last look.
  takeValues() {
    const { values } = this;
    this.values = new Map();
    return values;
  }

  async stop() {
    this.stopping = true;
    await Promise.all(this.callers);
    return this.failures;
  }
}

module.exports = { Load };

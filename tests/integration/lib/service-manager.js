'use strict';
// An agent that is run as systemd runs it, with a descriptor store (tests/service_manager).

const path = require('node:path');
const { BINARY, startAgent } = require('./agent');
const { eventually } = require('./wait');

const PROGRAM = path.join(path.dirname(BINARY), 'tests/service_manager/service_manager');

class Service {
  // `options`: as startAgent() takes them.
  static async start(stage, options = {}) {
    const agent = await startAgent(stage, { ...options, under: [PROGRAM, stage.folder()] });
    return new Service(agent);
  }

  constructor(agent) {
    Object.assign(this, { agent, startedAt: performance.now() });
    agent.running.child.stdout.on('data', (text) => { if (/^started /m.test(text)) this.startedAt = performance.now(); });
  }

  lines(pattern) { return [...this.agent.log.matchAll(pattern)]; }

  // Of the process that is the service now.
  get pid() { return Number(this.lines(/^(?:started|main) (\d+)$/mg).at(-1)[1]); }

  get starts() { return this.lines(/^started /mg).length; }

  // The names of what is stored, each as often as it is.
  get stored() { return (this.lines(/^stored(.*)$/mg).at(-1) || ['', ''])[1].trim().split(' '); }

  stores(consumers) { return eventually(() => this.stored.filter((name) => name === 'consumer').length === consumers, `${consumers} consumers are stored`); }

  // Ends its process by `signal`, and waits for the next one.
  async restart(signal) {
    const before = this.starts;
    if (signal === 'SIGKILL') process.kill(this.pid, signal);
    else process.kill(this.agent.running.child.pid, 'SIGHUP');
    await eventually(() => this.starts > before, 'the service is started again');
  }
}

module.exports = { Service };

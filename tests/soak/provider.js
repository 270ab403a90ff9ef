'use strict';
// A provider in a process of its own (provider-process.js), which can be told to misbehave, stopped and killed.

const net = require('node:net');
const path = require('node:path');
const { within } = require('../integration/lib/wait');

const PROGRAM = path.join(__dirname, 'provider-process.js');
// The kernel kills it where this process is killed; a stopped process would not see that its parent has gone.
const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];
// More than the provider's backlog takes.
const BACKLOG_FILLERS = 16;

class Provider {
  // `services`: the names of those whose requests come here.
  static async start(stage, { name, port, services }) {
    const provider = new Provider(stage, { name, port, services });
    await provider.start();
    return provider;
  }

  constructor(stage, identity) { Object.assign(this, { stage, ...identity, nextId: 1, fillers: [] }); }

  async start() {
    this.running = this.stage.fork(this.name, PROGRAM, { port: this.port }, WITH_PARENT);
    await this.message(({ isListening }) => isListening, 'listening');
  }

  // Waits for a message of the process.
  message(isIt, what) {
    const { child } = this.running;
    let onMessage;
    const came = new Promise((resolve) => {
      onMessage = (message) => { if (isIt(message)) resolve(message); };
      child.on('message', onMessage);
    });
    return within(came, `${this.name}: ${what}`).finally(() => child.off('message', onMessage));
  }

  async set(mode) {
    const id = this.nextId++;
    const confirmed = this.message((message) => message.id === id, `mode ${mode}`);
    this.running.child.send({ id, mode });
    await confirmed;
  }

  async kill() {
    this.running.kill('SIGKILL');
    await within(this.running.ended, `${this.name} is killed`);
  }

  freeze() { this.running.kill('SIGSTOP'); }

  thaw() {
    for (const socket of this.fillers.splice(0)) socket.destroy();
    this.running.kill('SIGCONT');
  }

  // Listens, but accepts nothing and has no room in its backlog: what connects gets no answer at all.
  async becomeBlackHole() {
    await this.set('disconnected');
    this.freeze();
    for (let i = 0; i < BACKLOG_FILLERS; i++) {
      const socket = net.connect(this.port, '127.0.0.1');
      socket.on('error', () => {});
      this.fillers.push(socket);
    }
  }
}

module.exports = { Provider };

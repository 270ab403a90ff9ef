'use strict';
// A piece of network that can be cut: by refusing everything, or by swallowing everything without a word.

const net = require('node:net');
const path = require('node:path');
const { within } = require('../integration/lib/wait');

const PROGRAM = path.join(__dirname, 'gate-process.js');
// More than the gate's backlog takes.
const BACKLOG_FILLERS = 24;

class Gate {
  // `to`: the port behind it. `onSession` hears of ZooKeeper sessions that pass.
  static async start(stage, { name, port, to, onSession }) {
    const gate = new Gate({ name, port });
    gate.running = stage.fork(name, PROGRAM, { port, to, tellsSessions: onSession !== undefined }, ['setpriv', '--pdeathsig', 'KILL']);
    gate.running.child.on('message', ({ id, session }) => {
      if (session) onSession(session);
      else gate.waiting.get(id)();
    });
    await gate.tell('open');
    return gate;
  }

  constructor(identity) { Object.assign(this, { ...identity, nextId: 1, waiting: new Map(), fillers: [] }); }

  tell(command) {
    const id = this.nextId++;
    const confirmed = new Promise((resolve) => { this.waiting.set(id, resolve); });
    this.running.child.send({ id, command });
    return within(confirmed, `${this.name}: ${command}`);
  }

  swallow() {
    this.running.kill('SIGSTOP');
    for (let i = 0; i < BACKLOG_FILLERS; i++) {
      const socket = net.connect(this.port, '127.0.0.1');
      socket.on('error', () => {});
      this.fillers.push(socket);
    }
  }

  // What was swallowed arrives now, as with TCP, where somebody still wants it.
  release() {
    for (const socket of this.fillers.splice(0)) socket.destroy();
    this.running.kill('SIGCONT');
  }
}

module.exports = { Gate };

'use strict';
// Stock Dubbo peers, each a process of its own (peers/*.js), because their libraries keep global state.

const path = require('node:path');
const { within } = require('./wait');

const CALL_LIMIT_MS = 60_000;

class Peer {
  constructor(running) {
    Object.assign(this, { running, nextId: 1, waiting: new Map() });
    running.child.on('message', ({ id, value, error }) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (!waiting) return;
      if (error === undefined) waiting.resolve(value); else waiting.reject(new Error(error));
    });
    running.ended.then(() => {
      for (const { reject } of this.waiting.values()) reject(new Error(`${running.name} ended: ${running.log.slice(-500)}`));
    });
  }

  // Runs a command of the peer; see the handlers at the end of its file.
  ask(command, ...args) {
    const id = this.nextId++;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.running.child.send({ id, command, args }, (error) => { if (error) reject(error); });
    });
    return within(answer, `${this.running.name}'s answer to ${command}`, CALL_LIMIT_MS);
  }

  call(method, ...args) { return this.ask('call', method, args); }
}

async function startPeer(stage, kind, config, prefix) {
  const peer = new Peer(stage.fork(config.name || kind, path.join(__dirname, '../peers', `${kind}.js`), config, prefix));
  Object.assign(peer, await peer.ask('ready'));
  return peer;
}

// { name, services: [{ interface, version }], port }; has a port. `prefix` as Stage.fork() has it.
const startProvider = (stage, config, prefix) => startPeer(stage, 'provider', config, prefix);
// { interface, version, group, port }
const startSofaConsumer = (stage, config) => startPeer(stage, 'sofa-consumer', config);
// { interface, version, group } and port (a fixed address) or zookeeper ("host:port": stock discovery)
const startApacheConsumer = (stage, config) => startPeer(stage, 'apache-consumer', config);

module.exports = { startApacheConsumer, startProvider, startSofaConsumer };

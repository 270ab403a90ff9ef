'use strict';
// A network namespace with a cable to that of the tests (tests/integration/run made it): what runs there is another
// machine to an agent.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { run } = require('./command');

const RAW_CALL = path.join(__dirname, '../peers/raw-call.js');

const ip = (...args) => spawnSync('ip', args, { encoding: 'utf8' });

class Neighbour {
  // A Neighbour, or { reason } where this user may not make one.
  static create(stage) {
    if (!process.env.SKIFF_TEST_NAMESPACE) return { reason: 'the tests have no network namespace of their own' };
    const neighbour = new Neighbour(process.pid);
    const remove = () => neighbour.remove();
    stage.atEnd(() => { process.off('exit', remove); remove(); });
    process.on('exit', remove);
    const { name, inner, outer } = neighbour;
    const steps = [
      ['netns', 'add', name],
      ['link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name],
      ['address', 'add', `${neighbour.hostAddress}/24`, 'dev', outer],
      ['link', 'set', outer, 'up'],
      ['-n', name, 'address', 'add', `${neighbour.address}/24`, 'dev', inner],
      ['-n', name, 'link', 'set', inner, 'up'],
      ['-n', name, 'link', 'set', 'lo', 'up'],
    ];
    for (const step of steps) {
      const { status, stderr, error } = ip(...step);
      if (status !== 0) return { reason: `no network namespace can be made here: ip ${step.join(' ')}: ${error ? error.message : stderr.trim()}` };
    }
    return neighbour;
  }

  constructor(number) {
    this.name = `skiff-test-${number}`;
    this.outer = `skh${number}`;
    this.inner = `skn${number}`;
    this.network = `10.${100 + (number % 100)}.${Math.floor(number / 100) % 250}`;
    this.hostAddress = `${this.network}.1`; // ours on the cable
    this.address = `${this.network}.2`;
    this.prefix = ['ip', 'netns', 'exec', this.name]; // runs a command there
  }

  // A call from there; { status, value, message } or { error }.
  async call(host, port, service) {
    const [command, ...args] = [...this.prefix, process.execPath, RAW_CALL, JSON.stringify({ host, port, service })];
    const { stdout, stderr } = await run(command, args);
    if (!stdout) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  remove() {
    ip('netns', 'delete', this.name);
    ip('link', 'delete', this.outer); // where its other end never got there
  }
}

module.exports = { Neighbour };

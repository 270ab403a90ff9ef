'use strict';
// A stock Dubbo provider: sofa-rpc-node with dubbo-remoting, on a loopback port.
// Config: { name, services: [{ interface, version }], port }; without `port` on a free one. It knows no groups.

const protocol = require('dubbo-remoting');
const { RpcServer } = require('sofa-rpc-node').server;
const serve = require('./messages');

const config = JSON.parse(process.argv[2]);
const quiet = { info() {}, warn() {}, debug() {}, log() {}, error: console.error };

const heard = []; // what came one-way
let calls = 0;

const boxed = ($class, $) => ({ $class, $ });
// A bare reply of one of these has no type byte in this library.
const BARE = new Map([[null, 'String'], ['', 'String'], [0, 'Integer'], [false, 'Boolean']]);
const whole = (value) => (BARE.has(value) ? boxed(`java.lang.${BARE.get(value)}`, value) : value);

const methods = {
  async echo(value) { return whole(value); },
  async whoami() { return config.name; },
  async length(bytes) { return boxed('java.lang.Integer', bytes.length); },
  async nothing() { return whole(null); },
  async reverse(list) { return [...list].reverse(); },
  async fail(text) { throw new Error(`refused: ${text}`); },
  async slow(ms, text) {
    await new Promise((resolve) => { setTimeout(resolve, ms); });
    return text;
  },
  async note(text) { heard.push(text); return 'nobody reads this'; },
};

const counted = Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, async (...args) => {
  calls++;
  return method(...args);
}]));

// The library listens on every address unless told otherwise here.
class LoopbackServer extends RpcServer {
  get listenPorts() { return [{ port: config.port || 0, host: '127.0.0.1' }]; }
}

const server = new LoopbackServer({ logger: quiet, protocol, port: 0, version: '' });
for (const service of config.services) {
  const version = service.version || '0.0.0';
  server.addService({ interfaceName: service.interface, version, group: '' }, counted);
  // A request without a version is looked up by the interface alone, which the library cannot be told to add.
  if (!service.version) server.services.set(service.interface, server.services.get(`${service.interface}:${version}`));
}

serve({
  async ready() {
    await server.start();
    return { port: server._servers[0].address().port };
  },
  heard: () => heard,
  calls: () => calls,
});

'use strict';
// A stock consumer with a fixed address: sofa-rpc-node with dubbo-remoting, one connection.
// Config: { name, port, interface, version, group }.

const protocol = require('dubbo-remoting');
const { RpcClient } = require('sofa-rpc-node').client;
const serve = require('./messages');

const TIMEOUT_MS = 15_000;

const config = JSON.parse(process.argv[2]);
const quiet = { info() {}, warn() {}, debug() {}, error() {}, log() {} };
const client = new RpcClient({ logger: quiet, protocol });
const consumer = client.createConsumer({
  interfaceName: config.interface,
  version: config.version || '',
  group: config.group || '',
  serverHost: `dubbo://127.0.0.1:${config.port}`,
});

// Arguments as the library wants them, with their Java types.
function typed(value) {
  if (typeof value === 'number') return { $class: 'java.lang.Integer', $: value };
  if (typeof value === 'string') return { $class: 'java.lang.String', $: value };
  if (value === null) return { $class: 'java.lang.Object', $: null };
  if (Array.isArray(value)) return { $class: 'java.util.ArrayList', $: value };
  return { $class: 'java.util.HashMap', $: value };
}

const call = (method, args) => consumer.invoke(method, args.map(typed), { responseTimeout: TIMEOUT_MS });

serve({
  async ready() { await consumer.ready(); return {}; },
  call,
  // Many at once on the one connection: how many got their own answer.
  async burst(count) {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => call('echo', [`value ${i}`])));
    return answers.filter((answer, i) => answer === `value ${i}`).length;
  },
});

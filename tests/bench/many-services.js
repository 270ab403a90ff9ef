'use strict';
// An agent that knows thousands of services, in the way that agents come to know them: from ZooKeeper, by its API.

const { startAgent } = require('../integration/lib/agent');

const PROVIDERS = 10; // of each service
const PORT = 20880;
const AT_ONCE = 64; // registrations on the way
const SUBSCRIPTIONS_AT_ONCE = 1000; // the API's limit of one request

// The requests go round so many services, fewer where their bodies would not stay in the load generator's cache.
const CALLED_MAX = 256;
const CALLED_BYTES = 256 * 1024;
const calledServices = (payload) => Math.max(1, Math.min(CALLED_MAX, Math.floor(CALLED_BYTES / payload)));

const CALLED_SERVICE = 'com.example.PlainBenchService';

// Nobody calls these: they are there to be known, with different addresses on the loopback network.
const KNOWN_SERVICE = 'com.example.known.KnownService';
const providersOf = (service) => Array.from({ length: PROVIDERS }, (_, i) => (
  { host: `127.${1 + service % 100}.${Math.floor(service / 100) % 250}.${1 + i}`, port: PORT }));

// `work(item)` for all of them, AT_ONCE side by side.
async function forAll(items, work) {
  const left = items.values();
  const workOff = async () => { for (const item of left) await work(item); };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
}

async function subscribeAll(agent, names) {
  for (let i = 0; i < names.length; i += SUBSCRIPTIONS_AT_ONCE) {
    const service = names.slice(i, i + SUBSCRIPTIONS_AT_ONCE).map((name) => ({ interface: name }));
    const { status, text } = await agent.post('/subscribe?wait=60s', JSON.stringify({ service }));
    if (status !== 200) throw new Error(`subscribe ${service.length} services: ${status} ${text.slice(0, 500)}`);
  }
}

// An agent that knows `count` services that nobody calls, and those that the requests go round, at `ports`. `few`, the target without the
// others, gets to know these, too, and the same requests: what differs is how much the agents know.
async function startAgentWithMany(stage, zookeeper, few, { count, payload, ports }) {
  const known = Array.from({ length: count }, (_, i) => `${KNOWN_SERVICE}${i}`);
  const calledCount = calledServices(payload);
  const called = Array.from({ length: calledCount }, (_, i) => `${CALLED_SERVICE}${i}`);
  await forAll([...known.keys()], (i) => zookeeper.registerService(known[i], providersOf(i)));
  await forAll(called, (name) => zookeeper.registerService(name, ports.map((port) => ({ port }))));
  const agent = await startAgent(stage, { name: 'near, with many services', registry: zookeeper.registry, workers: 1 });
  await subscribeAll(agent, [...known, ...called]);
  await agent.knowsProviders(known.at(-1), PROVIDERS);
  await agent.knowsProviders(called.at(-1), ports.length);
  await subscribeAll(few.agent, called);
  await few.agent.knowsProviders(called.at(-1), ports.length);
  const requests = { service: CALLED_SERVICE, interfaces: calledCount };
  Object.assign(few, requests);
  return { name: '20881-many', port: agent.outbound, pids: [agent.running.child.pid], ...requests };
}

module.exports = { forAll, startAgentWithMany, subscribeAll };

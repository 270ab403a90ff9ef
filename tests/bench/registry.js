'use strict';
// The registry side of an agent that knows many services: how long it takes to learn them, what they cost in memory, and how fast a
// change reaches the workers. Against a ZooKeeper server of its own on this machine.

const fs = require('node:fs');
const { startAgent } = require('../integration/lib/agent');
const { eventually, pause } = require('../integration/lib/wait');
const { startZooKeeper } = require('../integration/lib/zookeeper');
const { forAll, subscribeAll } = require('./many-services');
const { measureChanges, shownChanges } = require('./route-updates');

const PROVIDERS = 20; // of each service
const PUBLICATIONS = 1000;
const SERVICES_OF_APPLICATION = 10; // they share the addresses of its instances
const CHANGES = 500;
const CHANGE_MS = 40; // from one to the next
const JVM = ['-Xmx1024m', '-XX:TieredStopAtLevel=1']; // ZooKeeper's: it runs for a minute, which is short for a second compiler
const PAUSE_MS = 500; // between questions whose answers take the agent a while
const METHODS = ['create', 'update', 'remove', 'find'];

const serviceName = (i) => `com.example.department.application.api.KnownService${i}`;

// As Dubbo 3 registers them: some 400 bytes.
function providerOf(service, i) {
  const application = Math.floor(service / SERVICES_OF_APPLICATION);
  return {
    host: `10.${Math.floor(application / 250) % 250}.${application % 250}.${1 + i}`,
    port: 20880,
    parameters: {
      application: `known-application-${application}`, deprecated: 'false', dynamic: 'true', generic: 'false',
      methods: METHODS.join(','), pid: String(1000 + i), release: '3.2.14', revision: '1.0.0', retries: '0', 'service-name-mapping': 'true',
      timeout: '3000', version: '1.0.0',
    },
  };
}

const providersOf = (service) => Array.from({ length: PROVIDERS }, (_, i) => providerOf(service, i));

const memory = (pid, field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function metrics(agent) {
  const response = await fetch(`${agent.url}/metrics`);
  return response.text();
}
const sample = (text, name) => Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) || 0);

const secondsSince = (start) => (performance.now() - start) / 1000;

// Seconds from `start` until all lists have come from the registry, and all publications are there.
async function untilComplete(agent, services, start) {
  const done = {};
  await eventually(async () => {
    await pause(PAUSE_MS);
    const text = await metrics(agent);
    if (sample(text, 'skiff_subscriptions{state="subscribed",origin="api"}') === services) done.lists ??= secondsSince(start);
    if (sample(text, 'skiff_publications{state="registered"}') === PUBLICATIONS) done.publications ??= secondsSince(start);
    return done.lists && done.publications;
  }, 'all lists are in hand and all publications registered', 120_000);
  return done;
}

const publishAll = async (agent) => {
  const service = Array.from({ length: PUBLICATIONS }, (_, i) => (
    { interface: `com.example.own.OwnService${i}`, port: 20880, application: 'own', methods: METHODS, check: { type: 'none' } }));
  const { status, text } = await agent.post('/publish?wait=60s', JSON.stringify({ service }));
  if (status !== 200) throw new Error(`publish ${PUBLICATIONS} services: ${status} ${text.slice(0, 500)}`);
};

// Changes in the registry, at an even pace, each of another list.
const changeProviders = (agent, zookeeper, services) => measureChanges(agent, CHANGES, async (i) => {
  const service = (i * 7919) % services;
  await zookeeper.register(serviceName(service), providerOf(service, PROVIDERS + 1 + Math.floor(i / services)));
  await pause(CHANGE_MS);
});

const shown = (agent) => {
  const { pid } = agent.running.child;
  return `${memory(pid, 'RssAnon').toFixed(0)} MiB of its own (${memory(pid, 'VmRSS').toFixed(0)} resident, ${memory(pid, 'VmHWM').toFixed(0)} at most)`;
};
const times = ({ lists, publications }) => `lists in hand after ${lists.toFixed(1)} s, publications registered after ${publications.toFixed(1)} s`;

async function measureRegistry(stage, services) {
  const zookeeper = await startZooKeeper(stage, { jvm: JVM });
  await forAll(Array.from({ length: services }, (_, i) => i), (i) => zookeeper.registerService(serviceName(i), providersOf(i)));
  console.log(`${services} subscriptions with ${PROVIDERS} providers each, ${PUBLICATIONS} publications`);

  const options = { registry: zookeeper.registry };
  let agent = await startAgent(stage, options);
  console.log(`empty: ${shown(agent)}`);
  let start = performance.now();
  await Promise.all([publishAll(agent), subscribeAll(agent, Array.from({ length: services }, (_, i) => serviceName(i)))]);
  console.log(`asked for through the API: ${times(await untilComplete(agent, services, start))}; ${shown(agent)}`);

  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const { stateDir, api, outbound, inbound } = agent;
    await eventually(() => fs.statSync(`${stateDir}/directory.json`).size > 0, 'the lists are stored');
    await agent.stop(signal);
    start = performance.now();
    agent = await startAgent(stage, { ...options, stateDir, ports: { api, outbound, inbound } });
    const ready = secondsSince(start);
    console.log(`started again after ${signal}: ready after ${ready.toFixed(1)} s, ${times(await untilComplete(agent, services, start))}; ${shown(agent)}`);
  }

  const changes = await changeProviders(agent, zookeeper, services);
  console.log(`${CHANGES} changes, from ZooKeeper's event to the last worker: ${shownChanges(changes)}; ${shown(agent)}`);
}

module.exports = { measureRegistry };

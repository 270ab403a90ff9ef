'use strict';
// How fast a change of a rule reaches the workers of an agent that knows many services, while calls run; and that none of them fails.

const { startAgent } = require('../integration/lib/agent');
const { Load } = require('../integration/lib/load');
const { RawProvider } = require('../integration/lib/raw-provider');
const { pause } = require('../integration/lib/wait');
const { startZooKeeper } = require('../integration/lib/zookeeper');
const { forAll, subscribeAll } = require('./many-services');
const { measureChanges, shownChanges } = require('./route-updates');

const CHANGES = 500;
const CHANGE_MS = 40; // from one to the next
const CALLED = 100; // of the services; the rules of all change in turns
const JVM = ['-Xmx512m', '-XX:TieredStopAtLevel=1'];
const COLORS = ['red', 'green'];

const serviceName = (i) => `com.example.ruled.RuledService${i}`;
const document = (name, color) => `configVersion: v3.0\nscope: service\nkey: ${name}\nforce: true\nruntime: true\nenabled: true\nconditions:\n  - "method=whoami => color=${color}"\n`;

async function measureRuleChanges(stage, services) {
  const zookeeper = await startZooKeeper(stage, { jvm: JVM });
  const providers = await Promise.all(COLORS.map(async (color) => {
    const { port } = await RawProvider.start(stage, (call) => call.value(color));
    return { port, parameters: { color } };
  }));
  const names = Array.from({ length: services }, (_, i) => serviceName(i));
  await forAll(names, (name) => zookeeper.registerService(name, providers));
  // The first change of a service makes its document, further ones change it.
  await forAll(names, (name) => zookeeper.setDocument(`${name}::.condition-router`, document(name, 'red')));
  const agent = await startAgent(stage, { registry: zookeeper.registry });
  await subscribeAll(agent, names);
  await agent.knowsProviders(names.at(-1), providers.length);
  let next = 0;
  const load = await Load.start(stage, agent.outbound, () => ({ service: names[next++ % Math.min(CALLED, services)], method: 'whoami' }), { pauseMs: 5 });
  await load.more(1000);
  const changes = await measureChanges(agent, CHANGES, async (i) => {
    const name = names[(i * 7919) % services];
    await zookeeper.setDocument(`${name}::.condition-router`, document(name, COLORS[(1 + Math.floor(i / services)) % 2]));
    await pause(CHANGE_MS);
  });
  const answered = load.answered;
  const failures = await load.stop();
  console.log(`${services} services, ${CHANGES} changes of rules, from ZooKeeper's event to the last worker: ${shownChanges(changes)}; meanwhile ${answered} calls were answered, ${failures.length} failed`);
}

module.exports = { measureRuleChanges };

'use strict';
// What happens to the world, one step after the other. The seed decides which step, at what and when; what can be done depends on the steps
// before alone. A step waits for what it does itself, not for what follows from it.

const { pause } = require('../integration/lib/wait');
const { endSession } = require('./session-thief');
const { SIDES, UNCALLED } = require('./world');

const FAULTS_MAX = 3;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGTERM'];
const WAITS = ['0', '500ms', '3s'];
const CUT_IN_VERB_MS = [0, 25]; // the agent is killed so long after it was asked

const upAgents = (world) => world.agents.filter((agent) => agent.isUp);

// Subscriptions to services that nobody calls there, by whether the agent has them.
const uncalled = (world, word, isSubscribed) => upAgents(world).flatMap((agent) => UNCALLED[agent.name]
  .filter((service) => agent.subscriptions.has(service.interface) === isSubscribed)
  .map((service) => ({ name: `${agent.name} ${word} ${service.name}`, agent, service })));

// Nobody connects to an agent without providers.
const sidesOf = (agent) => (agent.publications.length > 0 ? SIDES : ['registry']);

async function restart(agent, signal, random) {
  await agent.stop(signal);
  await agent.start(random.pick(['/healthz', '/readyz']));
}

// A verb whose agent is killed before it answers, or just after it did. Who got no answer asks again.
async function verbAndKill(world, publication, random, ask) {
  const { agent } = publication;
  const answered = ask('0').then(() => true, () => false);
  await pause(random.between(...CUT_IN_VERB_MS));
  await restart(agent, 'SIGKILL', random);
  if (!await answered) await ask('3s');
}

// As an application's stop script does it.
async function restartAnnounced(world, provider) {
  const publications = world.publications.filter((one) => one.provider === provider && one.isWanted);
  for (const { wanted } of publications) wanted.set(false, world.clock.now());
  const { status } = await world.verb(publications[0].agent, 'stopping', publications.map(({ id }) => id), '10s');
  // Without the promise, it is a sudden end: somebody knows no other provider.
  if (status === 200) provider.end(); else provider.kill();
  await provider.start();
  for (const publication of publications) await world.publish(publication, '3s');
}

// `targets(world)`: what it may be done to; `run` does it. A fault is not begun where there are many.
const KINDS = [
  {
    name: 'publish', weight: 7,
    targets: (world) => world.publications.filter(({ agent, isWanted }) => agent.isUp && !isWanted),
    run: async (world, publication, random) => {
      publication.revision++;
      await world.publish(publication, random.pick(WAITS));
    },
  },
  {
    name: 'publish with other parameters', weight: 2,
    targets: (world) => world.publications.filter(({ agent, isWanted }) => agent.isUp && isWanted),
    run: async (world, publication, random) => {
      publication.revision++;
      await world.publish(publication, random.pick(WAITS));
    },
  },
  {
    name: 'unpublish', weight: 3,
    targets: (world) => world.publications.filter(({ agent, isWanted }) => agent.isUp && isWanted),
    run: (world, publication, random) => world.unpublish(publication, random.pick(WAITS)),
  },
  {
    name: 'publish, and kill the agent meanwhile', weight: 1, isFault: true,
    targets: (world) => world.publications.filter(({ agent, isWanted }) => agent.isUp && !isWanted),
    run: async (world, publication, random) => {
      publication.revision++;
      await verbAndKill(world, publication, random, (wait) => world.publish(publication, wait));
    },
  },
  {
    name: 'unpublish, and kill the agent meanwhile', weight: 1, isFault: true,
    targets: (world) => world.publications.filter(({ agent, isWanted }) => agent.isUp && isWanted),
    run: (world, publication, random) => verbAndKill(world, publication, random, (wait) => world.unpublish(publication, wait, { mayHaveGone: true })),
  },
  {
    name: 'subscribe', weight: 1,
    targets: (world) => uncalled(world, 'to', false),
    run: (world, { agent, service }) => world.subscribe(agent, service),
  },
  {
    name: 'unsubscribe', weight: 1,
    targets: (world) => uncalled(world, 'from', true),
    run: (world, { agent, service }) => world.unsubscribe(agent, service),
  },
  {
    name: 'kill the agent', weight: 2, isFault: true,
    targets: upAgents,
    run: (world, agent) => agent.stop('SIGKILL'),
  },
  {
    name: 'stop the agent', weight: 1, isFault: true,
    targets: upAgents,
    run: (world, agent) => agent.stop('SIGTERM'),
  },
  {
    name: 'start the agent', weight: 6,
    targets: (world) => world.agents.filter((agent) => !agent.isUp),
    run: (world, agent, random) => agent.start(random.pick(['/healthz', '/readyz'])),
  },
  {
    name: 'restart the agent', weight: 3, isFault: true,
    targets: upAgents,
    run: (world, agent, random) => restart(agent, random.pick(SIGNALS), random),
  },
  {
    name: 'upgrade the agent', weight: 3,
    targets: upAgents,
    run: (world, agent) => agent.upgrade(),
  },
  {
    name: 'kill the provider', weight: 3, isFault: true,
    targets: (world) => world.providers.filter((provider) => provider.isUp),
    run: (world, provider) => provider.kill(),
  },
  {
    name: 'start the provider', weight: 8,
    targets: (world) => world.providers.filter((provider) => !provider.isUp),
    run: (world, provider) => provider.start(),
  },
  {
    name: 'restart the provider with an announcement', weight: 2, isFault: true,
    targets: (world) => world.providers.filter((provider) => provider.isUp && provider.agentName && world.isAtEase(provider)),
    run: restartAnnounced,
  },
  {
    name: 'stop the registry', weight: 1, isFault: true,
    targets: (world) => (world.registry.up.isOn ? [{ name: '' }] : []),
    run: (world, _, random) => world.stopRegistry(random.pick(['SIGKILL', 'SIGTERM'])),
  },
  {
    name: 'start the registry', weight: 3,
    targets: (world) => (world.registry.up.isOn ? [] : [{ name: '' }]),
    run: (world) => world.startRegistry(),
  },
  {
    name: 'expire the session', weight: 2, isFault: true,
    targets: (world) => (world.registry.up.isOn ? world.agents.filter((agent) => agent.session) : []),
    run: (world, agent) => endSession(world.zookeeper.server, agent.session),
  },
  {
    name: 'cut the network', weight: 3, isFault: true,
    targets: (world) => world.agents.flatMap((agent) => sidesOf(agent).filter((side) => agent.cuts[side] === 'none')
      .map((side) => ({ name: `${agent.name}, ${side}`, agent, side }))),
    run: (world, { agent, side }, random) => agent.cut(side, random.pick(['refuse', 'swallow'])),
  },
  {
    name: 'cut all networks', weight: 1, isFault: true,
    targets: (world) => world.agents.filter((agent) => agent.isWhole && agent.publications.length > 0),
    run: async (world, agent, random) => {
      const how = random.pick(['refuse', 'swallow']);
      for (const side of SIDES) await agent.cut(side, how);
    },
  },
  {
    name: 'heal the network', weight: 6,
    targets: (world) => world.cuts.map(({ agent, side }) => ({ name: `${agent.name}, ${side}`, agent, side })),
    run: (world, { agent, side }) => agent.heal(side),
  },
];

function pickWeighted(random, kinds) {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  return kinds.find(({ weight }) => (left -= weight) < 0) || kinds[kinds.length - 1];
}

// { kind, name, run }
function nextStep(world, random) {
  const isCrowded = world.faults.length >= FAULTS_MAX;
  const possible = KINDS.filter((kind) => !(kind.isFault && isCrowded) && kind.targets(world).length > 0);
  const kind = pickWeighted(random, possible);
  const target = random.pick(kind.targets(world));
  return { kind: kind.name, name: `${kind.name} ${target.name}`.trim(), run: () => kind.run(world, target, random) };
}

module.exports = { nextStep };

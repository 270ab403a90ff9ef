'use strict';
// The registry goes away, and what stands in it changes.

const { FAR, MIXED, PLAIN } = require('../world');

// The far agent's nodes go with its session, and come back with the next one.
const SESSION_GRACE_MS = 15_000;

const registry = (name, begin) => ({
  name,
  make: (world, random) => ({
    target: 'ZooKeeper', services: [FAR], explains: [60], graceMs: SESSION_GRACE_MS, locks: ['ZooKeeper'], durationMs: random.between(1_000, 7_000),
    begin: () => begin(world),
  }),
});

async function freeze({ zookeeper, stage }) {
  await zookeeper.disconnect();
  zookeeper.running.kill('SIGSTOP');
  return async () => {
    zookeeper.running.kill('SIGCONT');
    await zookeeper.connect(stage);
  };
}

async function kill({ zookeeper, stage }) {
  await zookeeper.disconnect();
  zookeeper.running.kill('SIGKILL');
  await zookeeper.running.ended;
  return async () => {
    await zookeeper.restart(stage);
    await zookeeper.connect(stage);
  };
}

// One of the three stays.
const unregister = {
  name: 'plain provider leaves the registry',
  make: (world, random) => {
    const provider = random.pick(world.plainProviders.slice(0, 2));
    return {
      target: provider.name, services: [PLAIN], explains: [], locks: [`route to ${provider.name}`], shares: ['ZooKeeper'],
      begin: async () => {
        await world.unregister(provider);
        return () => world.register(provider);
      },
    };
  },
};

const changeWeight = {
  name: "provider's weight changes",
  make: (world, random) => {
    const provider = random.pick([...world.plainProviders, world.mixedProvider]);
    const weight = String(random.between(1, 400));
    return {
      target: provider.name, services: provider.services, explains: [], locks: [`route to ${provider.name}`], shares: ['ZooKeeper'],
      begin: async () => {
        await world.register(provider, { weight });
        return () => world.register(provider);
      },
    };
  },
};

const unpublish = {
  name: 'far agent unpublishes a service',
  make: (world, random) => {
    const service = random.pick([FAR, MIXED]);
    return {
      target: service, services: service === FAR ? [FAR] : [], explains: [60], locks: [`publication of ${service}`], shares: ['ZooKeeper', 'far'],
      begin: async () => {
        await world.tell(world.far, 'unpublish', world.farPublication(service));
        return () => world.tell(world.far, 'publish', world.farPublication(service));
      },
    };
  },
};

// Its requests are held until it is subscribed to again, on demand.
const unsubscribe = {
  name: 'near agent unsubscribes a service',
  make: (world, random) => {
    const service = random.pick([PLAIN, FAR, MIXED]);
    return {
      target: service, services: [service], explains: [60], locks: [`subscription to ${service}`], shares: ['ZooKeeper'],
      begin: async () => {
        await world.tell(world.near, 'unsubscribe', { interface: service });
        return () => world.tell(world.near, 'subscribe', { interface: service });
      },
    };
  },
};

module.exports = [registry('ZooKeeper frozen', freeze), registry('ZooKeeper killed', kill), unregister, changeWeight, unpublish, unsubscribe];

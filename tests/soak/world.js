'use strict';
// Who takes part: two agents, a ZooKeeper between them, five providers, and the services that these have.
//
//   com.example.soak.Plain   three providers, registered as plain ones are
//   com.example.soak.Far     one provider, behind the far agent
//   com.example.soak.Mixed   a plain one and the one behind the far agent; both allow retries at the same one

const { startAgent } = require('../integration/lib/agent');
const { freePort } = require('../integration/lib/stage');
const { eventually } = require('../integration/lib/wait');
const { startZooKeeper } = require('../integration/lib/zookeeper');
const { Provider } = require('./provider');

const PLAIN = 'com.example.soak.Plain';
const FAR = 'com.example.soak.Far';
const MIXED = 'com.example.soak.Mixed';
const NOBODY = 'com.example.soak.Nobody';

const WORKERS = 2;
const RETRIES = { retries: '2' };
// What waits for time is made short, so that a fault of seconds is one: sessions end, silent peers are given up.
const SESSION_MS = 4_000;
const FLAGS = ['--heartbeat-interval', '1s', '--drain-timeout', '5s'];
// So that freed memory goes back to the kernel instead of waiting in the allocator, whose threshold else grows to 32 MiB.
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };
const SETTLED_LIMIT_MS = 60_000;

class World {
  static async start(stage) {
    const world = new World(stage);
    world.zookeeper = await startZooKeeper(stage);
    await world.startProviders();
    world.far = await world.startAgent('far', ['--provider', `127.0.0.1:${world.farProvider.port}`]);
    world.near = await world.startAgent('near');
    await world.publishFar();
    for (const service of [PLAIN, FAR, MIXED]) await world.near.verb('subscribe', { interface: service });
    await world.isSettled();
    return world;
  }

  constructor(stage) { Object.assign(this, { stage, plainNodes: new Map() }); }

  async startProviders() {
    const startOne = async (name, services) => Provider.start(this.stage, { name, port: await freePort(), services });
    this.plainProviders = [await startOne('first', [PLAIN]), await startOne('second', [PLAIN]), await startOne('third', [PLAIN])];
    this.mixedProvider = await startOne('mixed', [MIXED]);
    this.farProvider = await startOne('behind far', [FAR, MIXED]);
    for (const provider of [...this.plainProviders, this.mixedProvider]) await this.register(provider);
  }

  get providers() { return [...this.plainProviders, this.mixedProvider, this.farProvider]; }

  startAgent(name, flags = [], ports = undefined) {
    return startAgent(this.stage, {
      name, ports, workers: WORKERS, registry: `${this.zookeeper.registry}?session=${SESSION_MS}`, flags: [...FLAGS, ...flags],
      environment: ALLOCATOR, until: '/healthz' });
  }

  // --- what stands in the registry

  // As a plain provider does; a second time with other parameters replaces the first. Its node stays while ZooKeeper is away.
  async register(provider, parameters = {}) {
    const [service] = provider.services;
    const old = this.plainNodes.get(provider);
    this.plainNodes.set(provider, await this.zookeeper.register(service, {
      port: provider.port, outlivesSession: true, parameters: { ...(service === MIXED ? RETRIES : {}), ...parameters } }));
    if (old) await this.zookeeper.remove(old);
  }

  async unregister(provider) {
    await this.zookeeper.remove(this.plainNodes.get(provider));
    this.plainNodes.delete(provider);
  }

  // Whether the registry is there or not.
  async tell(agent, verb, service) {
    const { status, text } = await agent.post(`/${verb}?wait=0`, { service });
    if (status !== 200 && status !== 202) throw new Error(`${verb} ${service.interface}: ${status} ${text}`);
  }

  farPublication(service) {
    return { interface: service, port: this.farProvider.port, methods: ['echo'], check: { type: 'none' }, parameters: { warmup: '1', ...(service === MIXED ? RETRIES : {}) } };
  }

  async publishFar() { for (const service of [FAR, MIXED]) await this.tell(this.far, 'publish', this.farPublication(service)); }

  // The far agent again, with its ports, after it ended.
  async restartFar() {
    const { api, outbound, inbound } = this.far;
    this.far = await this.startAgent('far', ['--provider', `127.0.0.1:${this.farProvider.port}`], { api, outbound, inbound });
    await this.publishFar();
  }

  // The near agent knows every provider again.
  async isSettled() {
    for (const [service, count] of [[PLAIN, 3], [FAR, 1], [MIXED, 2]]) await this.knows(service, count);
  }

  knows(service, count) {
    return eventually(async () => {
      const { status, body } = await this.near.get(`/services/${service}`);
      return status === 200 && body.endpoints.length === count;
    }, `the near agent knows ${count} providers of ${service}`, SETTLED_LIMIT_MS);
  }
}

module.exports = { FAR, MIXED, NOBODY, PLAIN, WORKERS, World };

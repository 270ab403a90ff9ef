'use strict';
// What has stood in the registry, and when, as a client of the test's own sees it.

const { SERVICES } = require('./plan');
const { Timeline } = require('./spans');

// What we hear of a change, an agent may have heard somewhat earlier.
const LAG_MS = 1_000;

const CATEGORIES = ['providers', 'consumers'];

function parse(node) {
  const url = decodeURIComponent(node);
  const [, scheme, address, path, query] = /^(\w+):\/\/([^/]+)\/([^?]+)\?(.*)$/.exec(url);
  return { node, url, scheme, address, interface: path, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

class RegistryWatch {
  // `places`: { address, service } of every provider that there may be; each gets a timeline, `listed`.
  static async start(zookeeper, clock, places) {
    const watch = new RegistryWatch(zookeeper, clock, places);
    for (const { interface: name } of SERVICES) for (const category of CATEGORIES) await zookeeper.ask('mkdirp', `/dubbo/${name}/${category}`);
    await watch.begin();
    return watch;
  }

  constructor(zookeeper, clock, places) {
    Object.assign(this, { zookeeper, clock, places, epoch: 0 });
    for (const place of places) place.listed = new Timeline();
  }

  // After each connection of the client.
  async begin() { for (const { interface: name } of SERVICES) await this.look(name, this.epoch); }

  // Before the client's connection ends.
  pause() {
    this.epoch++;
    this.pausedAt = this.clock.now();
  }

  async resume() {
    // What has gone meanwhile may have gone at once.
    const goneAt = this.pausedAt;
    for (const { interface: name } of SERVICES) await this.look(name, this.epoch, goneAt);
  }

  async look(name, epoch, goneAt) {
    const nodes = await this.zookeeper.ask('getChildren', `/dubbo/${name}/providers`, () => {
      if (epoch === this.epoch) this.look(name, epoch).catch(() => {});
    });
    if (epoch === this.epoch) this.take(name, nodes, goneAt);
  }

  take(name, nodes, goneAt) {
    const now = this.clock.now();
    const addresses = new Set(nodes.map((node) => parse(node).address));
    for (const place of this.places) {
      if (place.service.interface !== name) continue;
      const isListed = addresses.has(place.address);
      place.listed.set(isListed, isListed ? now : (goneAt === undefined ? now : goneAt) - LAG_MS);
    }
  }

  // Everything that stands there, with the sessions that own it: { providers, consumers }.
  async everything() {
    const all = { providers: [], consumers: [] };
    const names = (await this.zookeeper.ask('getChildren', '/dubbo')) || [];
    for (const name of names) {
      for (const category of CATEGORIES) {
        for (const node of (await this.zookeeper.ask('getChildren', `/dubbo/${name}/${category}`)) || []) {
          const stat = await this.zookeeper.ask('exists', `/dubbo/${name}/${category}/${node}`);
          if (stat) all[category].push({ ...parse(node), owner: stat.ephemeralOwner.toString('hex') });
        }
      }
    }
    return all;
  }
}

module.exports = { RegistryWatch, parse };

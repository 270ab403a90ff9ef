'use strict';
// What has stood in the registry, and when, as a client of the test's own sees it.

const { HELD_MS, SERVICES } = require('./plan');
const { Timeline } = require('./spans');

// What we hear of a change, an agent may have heard somewhat earlier.
const LAG_MS = 1_000;

// How long agents certainly keep a list that has become empty.
const STALE_MS = HELD_MS - 2_000;

const CATEGORIES = ['providers', 'consumers'];

function parse(node) {
  const url = decodeURIComponent(node);
  const [, scheme, address, path, query] = /^(\w+):\/\/([^/]+)\/([^?]+)\?(.*)$/.exec(url);
  return { node, url, scheme, address, interface: path, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

// Where nobody is listed any more, agents keep the last list in use for a while: a place that came back soon enough was there all the time.
function endStaleness(place, now) {
  if (place.vanishedAt !== undefined && place.vanishedAt + STALE_MS < now) place.listed.set(false, place.vanishedAt + STALE_MS);
  place.vanishedAt = undefined;
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

  take(name, nodes, goneAt = this.clock.now()) {
    const addresses = new Set(nodes.map((node) => parse(node).address));
    const places = this.places.filter(({ service }) => service.interface === name);
    if (addresses.size === 0) {
      for (const place of places) if (place.listed.isOn && place.vanishedAt === undefined) place.vanishedAt = goneAt - LAG_MS;
      return;
    }
    const now = this.clock.now();
    for (const place of places) {
      endStaleness(place, now);
      if (addresses.has(place.address)) place.listed.set(true, now);
      else place.listed.set(false, Math.min(goneAt, now) - LAG_MS);
    }
  }

  // No more looks: what went with the whole list is gone for good.
  end() { for (const place of this.places) endStaleness(place, Infinity); }

  // The providers' nodes of a service.
  async nodesOf({ interface: name }) { return (await this.zookeeper.ask('getChildren', `/dubbo/${name}/providers`)).map(parse); }

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

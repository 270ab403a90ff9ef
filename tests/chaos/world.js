'use strict';
// Everyone who takes part, as plan.js says, and what must be known of them. plan.js has who they are, members.js what can be done with them.

const { eventually } = require('../integration/lib/wait');
const { startZooKeeper } = require('../integration/lib/zookeeper');
const { differences } = require('./comparison');
const { Agent, Provider, Publication } = require('./members');
const { AGENTS, CALLED, PROVIDERS, UNCALLED } = require('./plan');
const { RegistryWatch } = require('./registry-watch');
const { Timeline } = require('./spans');

const CONFIRMED = 200;
const ACCEPTED = [CONFIRMED, 202];
const NOTHING_TO_TAKE_BACK = 404;
const SIDES = ['registry', 'inbound'];

class World {
  static async start(stage, clock) {
    const world = new World(stage, clock);
    world.zookeeper = await startZooKeeper(stage);
    world.registry.up.set(true, clock.now());
    for (const one of PROVIDERS) world.providers.push(await Provider.create(clock, one));
    for (const name of AGENTS) world.agents.push(await Agent.create(world, name));
    world.definePlaces();
    world.watch = await RegistryWatch.start(world.zookeeper, clock, world.places);
    stage.atEnd(() => { for (const provider of world.providers) if (provider.isUp) provider.kill(); });
    for (const provider of world.providers) await provider.start();
    for (const agent of world.agents) await agent.start();
    await world.announceEverything();
    return world;
  }

  // `comparedAt`: when everything was found as it should be; `surprises`: errors that no step has caused.
  constructor(stage, clock) {
    Object.assign(this, { stage, clock, registry: { up: new Timeline() }, providers: [], agents: [], places: [], comparedAt: [], surprises: [] });
  }

  agent(name) { return this.agents.find((one) => one.name === name); }

  get publications() { return this.agents.flatMap((agent) => agent.publications); }

  providersOf(service) { return this.providers.filter((one) => one.services.includes(service)).map((one) => one.name); }

  definePlaces() {
    for (const provider of this.providers) {
      const agent = this.agent(provider.agentName);
      for (const service of provider.services) {
        const publication = agent && new Publication(agent, service, provider);
        if (agent) agent.publications.push(publication);
        this.places.push({ address: (agent || provider).address, service, provider, agent, publication });
      }
    }
  }

  async announceEverything() {
    for (const { provider, agent, service } of this.places) {
      if (agent) continue;
      await this.zookeeper.register(service.interface, { port: provider.port, outlivesSession: true, parameters: { warmup: '1', revision: '0' } });
    }
    for (const agent of this.agents) for (const service of CALLED[agent.name]) await this.subscribe(agent, service);
    for (const publication of this.publications) await this.publish(publication);
  }

  // --- the verbs of the API; what was accepted is wanted from then on

  async verb(agent, name, body, wait = '3s', alsoGood = []) {
    const answer = await agent.process.post(`/${name}?wait=${wait}`, { service: body });
    if ([...ACCEPTED, ...alsoGood].includes(answer.status)) return answer;
    throw new Error(`${name} ${JSON.stringify(body)} at agent ${agent.name}: ${answer.status} ${answer.text}`);
  }

  async publish(publication, wait) {
    const answer = await this.verb(publication.agent, 'publish', publication.body, wait);
    publication.isWanted = true;
    publication.wanted.set(true, this.clock.now());
    if (answer.status === CONFIRMED && publication.provider.isSettled) await this.expectNode(publication, true);
    return answer;
  }

  async unpublish(publication, wait, { mayHaveGone = false } = {}) {
    publication.wanted.set(false, this.clock.now());
    const answer = await this.verb(publication.agent, 'unpublish', publication.id, wait, mayHaveGone ? [NOTHING_TO_TAKE_BACK] : []);
    publication.isWanted = false;
    if (answer.status === CONFIRMED) await this.expectNode(publication, false);
    return answer;
  }

  // What is confirmed by the API is so in the registry.
  async expectNode({ agent, service, revision, name }, isThere) {
    if (!this.registry.up.isOn) return; // what was never written is taken back without it
    const nodes = await this.watch.nodesOf(service);
    const ours = nodes.filter(({ address }) => address === agent.address).map(({ parameters }) => parameters.revision);
    const isRight = isThere ? ours.includes(String(revision)) : ours.length === 0;
    if (!isRight) throw new Error(`${name} is confirmed as ${isThere ? `published in revision ${revision}` : 'taken back'}, but there is [${ours}]`);
  }

  async subscribe(agent, { interface: name, version }) {
    await this.verb(agent, 'subscribe', { interface: name, version });
    agent.subscriptions.add(name);
  }

  async unsubscribe(agent, { interface: name, version }) {
    await this.verb(agent, 'unsubscribe', { interface: name, version });
    agent.subscriptions.delete(name);
  }

  // --- the registry

  async stopRegistry(signal) {
    this.registry.up.set(false, this.clock.now());
    this.watch.pause();
    await this.zookeeper.disconnect();
    await this.zookeeper.running.stop(signal);
  }

  async startRegistry() {
    await this.zookeeper.restart(this.stage);
    await this.zookeeper.connect(this.stage);
    await this.watch.resume();
    this.registry.up.set(true, this.clock.now());
  }

  // --- faults at work

  // Its agent runs, has a whole network, and publishes it.
  isAtEase(provider) {
    const agent = this.agent(provider.agentName);
    return this.registry.up.isOn && agent.isUp && agent.isWhole && agent.publications.some((one) => one.provider === provider && one.isWanted);
  }

  get cuts() { return this.agents.flatMap((agent) => SIDES.filter((side) => agent.cuts[side] !== 'none').map((side) => ({ agent, side }))); }

  get faults() {
    const down = [...this.agents, ...this.providers].filter((one) => !one.isUp).map(({ name }) => `${name} is down`);
    const cut = this.cuts.map(({ agent, side }) => `${side} of ${agent.name}: ${agent.cuts[side]}`);
    return [...(this.registry.up.isOn ? [] : ['no registry']), ...down, ...cut];
  }

  // The registry serves, and everyone can reach it and each other.
  async healNetworks() {
    if (!this.registry.up.isOn) await this.startRegistry();
    for (const { agent, side } of this.cuts) await agent.heal(side);
  }

  async healEverything() {
    await this.healNetworks();
    for (const provider of this.providers) if (!provider.isUp) await provider.start();
    for (const agent of this.agents) if (!agent.isUp) await agent.start();
  }

  // --- what must be, and what is

  // Of agents that run: one that does not has no session, sooner or later. `recovering`: the publications that an agent says to hold back
  // because their providers went down too often.
  wanted(recovering) {
    const running = this.agents.filter((agent) => agent.isUp);
    const published = this.places.filter(({ agent, publication }) => !agent || (agent.isUp && publication.isWanted));
    const isListed = ({ agent, publication, provider }) => !agent || (provider.isUp && !recovering.has(publication));
    const listed = published.filter(isListed);
    const providers = listed.map(({ address, service, agent, publication }) => ({
      address, interface: service.interface, version: service.version, revision: String(agent ? publication.revision : 0),
      owner: agent ? agent.session.id : '0'.repeat(16) }));
    const subscribed = running.flatMap((agent) => [...agent.subscriptions].map((name) => ({ agent, service: this.service(name) })));
    const publications = published.filter(({ agent }) => agent).map((place) => ({
      agent: place.agent.name, ...place.publication.id, state: isListed(place) ? 'registered' : 'pending' }));
    const addressesOf = (service) => listed.filter((one) => one.service === service).map(({ address }) => address).sort();
    return {
      providers, publications,
      consumers: subscribed.map(({ agent, service }) => ({
        application: `chaos-${agent.name}`, interface: service.interface, version: service.version, owner: agent.session.id })),
      subscriptions: subscribed.map(({ agent, service }) => ({
        agent: agent.name, interface: service.interface, version: service.version, state: 'subscribed' })),
      lists: subscribed.map(({ agent, service }) => ({ agent: agent.name, interface: service.interface, addresses: addressesOf(service) })),
    };
  }

  service(name) { return this.places.find(({ service }) => service.interface === name).service; }

  async seen() {
    const registered = await this.watch.everything();
    const seen = {
      providers: registered.providers.map(({ address, interface: name, parameters, owner }) => ({
        address, interface: name, version: parameters.version || '', revision: parameters.revision, owner })),
      consumers: registered.consumers.map(({ interface: name, parameters, owner }) => ({
        application: parameters.application, interface: name, version: parameters.version || '', owner })),
      publications: [], subscriptions: [], lists: [], recovering: new Set() };
    for (const agent of this.agents) if (agent.isUp) await this.ask(agent, seen);
    return seen;
  }

  async ask(agent, seen) {
    const { publications } = (await agent.process.get('/publications')).body;
    for (const { interface: name, version, port, state, health } of publications) {
      seen.publications.push({ agent: agent.name, interface: name, version, port, state });
      const publication = agent.publications.find((one) => one.id.interface === name && one.id.port === port);
      if (health === 'recovering' && publication && publication.provider.mayBeHeldBack) seen.recovering.add(publication);
    }
    const { subscriptions } = (await agent.process.get('/subscriptions')).body;
    for (const { interface: name, version, state, endpoints, on_demand: isOnDemand } of subscriptions) {
      if (isOnDemand) continue; // a call came before the subscription, or after it
      seen.subscriptions.push({ agent: agent.name, interface: name, version, state });
      seen.lists.push({ agent: agent.name, interface: name, addresses: endpoints.map(({ address }) => address).sort() });
    }
  }

  // Waits until everything is as it should be; what is not so at the deadline is the error's text. In the end no provider may be held back.
  async settle(deadlineMs, { isEnd = false } = {}) {
    let left;
    try {
      await eventually(async () => {
        const seen = await this.seen();
        left = differences(this.wanted(isEnd ? new Set() : seen.recovering), seen);
        return left.length === 0;
      }, 'everything is as it should be', deadlineMs);
    } catch (error) {
      throw new Error(left && left.length > 0 ? left.join('\n  ') : error.message);
    }
    this.comparedAt.push(this.clock.now());
  }
}

module.exports = { SIDES, UNCALLED, World };

'use strict';
// The agents and providers: what steps do with them, and the times at which they were certainly there.

const net = require('node:net');
const { startAgent } = require('../integration/lib/agent');
const frames = require('../integration/lib/frames');
const { freePort } = require('../integration/lib/stage');
const { Gate } = require('./gate');
const { CHECK, FLAGS, SESSION_MS } = require('./plan');
const { Timeline } = require('./spans');

const NOT_FOUND = 70; // Dubbo's SERVICE_ERROR, which providers answer with for a service that they do not have
const SETTLED_MS = 2_000;
const HELD_BACK_MS = 65_000;
const HOST = '127.0.0.1';

// Answers with its name, the service that was asked for, and the argument. `up`: it serves; `killed`: it does not, and nobody was told.
class Provider {
  static async create(clock, { name, agent, services }) {
    return new Provider(clock, { name, agentName: agent, services, port: await freePort() });
  }

  constructor(clock, identity) { Object.assign(this, { clock, ...identity, up: new Timeline(), killed: new Timeline(), sockets: new Set() }); }

  get address() { return `${HOST}:${this.port}`; }

  get isUp() { return this.up.isOn; }

  // Its agent has had time to see that it serves.
  get isSettled() { return this.isUp && this.clock.now() - this.upSince > SETTLED_MS; }

  // By its agent's health checks, as docs/http-api.md says.
  get mayBeHeldBack() { return this.killed.spans.length > 1 && this.clock.now() - this.upSince < HELD_BACK_MS; }

  async start() {
    this.server = net.createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      frames.onFrames(socket, (frame) => this.onFrame(frame, socket));
    });
    await new Promise((resolve, reject) => { this.server.once('error', reject); this.server.listen(this.port, HOST, resolve); });
    this.upSince = this.clock.now();
    this.killed.set(false, this.upSince);
    this.up.set(true, this.clock.now());
  }

  // As the kernel does it for a process that is killed.
  kill() {
    this.killed.set(true, this.clock.now());
    this.end();
  }

  // Ends; after an announcement that should be noticed by nobody.
  end() {
    this.up.set(false, this.clock.now());
    this.server.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  onFrame(frame, socket) {
    if (!frame.isTwoWay || !frame.isRequest) return;
    if (frame.isEvent) {
      socket.write(frames.build({ flags: 0x20 | frame.serialization, status: 20, id: frame.id, body: frame.body }));
      return;
    }
    const { service, version, args } = frames.readRequest(frame);
    const isOurs = this.services.some((one) => one.interface === service && one.version === version);
    socket.write(isOurs ? frames.response(frame.id, `${this.name} ${service} ${args[0]}`)
      : frames.errorResponse(frame.id, NOT_FOUND, `provider ${this.name} has no ${service}`));
  }
}

// One service of one provider at one agent, as the application wants it.
class Publication {
  constructor(agent, service, provider) {
    Object.assign(this, { agent, service, provider, revision: 0, isWanted: false, wanted: new Timeline() });
  }

  get name() { return `${this.service.name} of ${this.provider.name}`; }

  get id() { return { interface: this.service.interface, version: this.service.version, port: this.provider.port }; }

  get body() {
    return {
      ...this.id, methods: ['echo'], check: CHECK,
      parameters: { warmup: '1', revision: String(this.revision) } };
  }
}

class Agent {
  static async create(world, name) {
    const agent = new Agent(world, name);
    agent.ports = { api: await freePort(), outbound: await freePort(), inbound: await freePort() };
    agent.registryGate = await Gate.start(world.stage, {
      name: `network of ${name} to the registry`, port: await freePort(), to: world.zookeeper.port,
      onSession: (session) => { agent.session = session; } });
    agent.inboundGate = await Gate.start(world.stage, { name: `network to ${name}`, port: await freePort(), to: agent.ports.inbound });
    agent.noProvider = await freePort();
    for (const timeline of [agent.linked, agent.reachable]) timeline.set(true, world.clock.now());
    return agent;
  }

  // `killed`: down without a word; `linked` and `reachable`: its networks to the registry, and for others to it.
  constructor(world, name) {
    Object.assign(this, {
      world, name, stateDir: world.stage.folder(), state: 'down',
      running: new Timeline(), killed: new Timeline(), linked: new Timeline(), reachable: new Timeline(),
      cuts: { registry: 'none', inbound: 'none' }, publications: [], subscriptions: new Set() });
  }

  // What others find in the registry.
  get address() { return `${HOST}:${this.inboundGate.port}`; }

  // Where it sends what it has no publication for: nobody listens there.
  get noProviderAddress() { return `${HOST}:${this.noProvider}`; }

  get isUp() { return this.state === 'up'; }

  get isWhole() { return this.cuts.registry === 'none' && this.cuts.inbound === 'none'; }

  // Returns when `until` answers 200.
  async start(until = '/readyz') {
    this.process = await startAgent(this.world.stage, {
      name: `agent ${this.name}`, ports: this.ports, stateDir: this.stateDir, until, hosts: { advertise: this.address },
      registry: `zookeeper://${HOST}:${this.registryGate.port}?session=${SESSION_MS}`,
      flags: [...FLAGS, '--application', `chaos-${this.name}`, '--provider', this.noProviderAddress] });
    this.watchFor(this.process);
    if (this.cuts.inbound === 'none') await this.inboundGate.tell('open');
    this.state = 'up';
    this.killed.set(false, this.world.clock.now());
    this.running.set(true, this.world.clock.now());
  }

  // Nobody but stop() ends it, or its going on as another process.
  async watchFor(started) {
    const { code, signal } = await started.running.ended;
    if (!this.isUp || this.process !== started || (code === 0 && started.hasSuccessor)) return;
    this.world.surprises.push(new Error(`agent ${this.name} ended by itself, with ${signal || code}:\n${started.log.slice(-2_000)}`));
  }

  // Where nobody listens, nobody is to be connected to: the gate closes with the agent. What it is connected to ends with the agent.
  async stop(signal) {
    this.running.set(false, this.world.clock.now());
    if (signal === 'SIGKILL') this.killed.set(true, this.world.clock.now());
    this.state = 'down';
    if (signal === 'SIGKILL' && this.cuts.inbound !== 'swallow') await this.inboundGate.tell('close');
    const { code } = await this.process.stop(signal);
    if (signal === 'SIGKILL') return;
    if (this.cuts.inbound !== 'swallow') await this.inboundGate.tell('close');
    if (code !== 0) throw new Error(`agent ${this.name} ended with ${code} after ${signal}`);
  }

  // Another process goes on for it, which nobody is to notice. It may refuse where the agent has not found out yet that it has no registry.
  async upgrade() {
    const { status, body } = await this.process.upgrade();
    const isCutOff = this.cuts.registry !== 'none' || !this.world.registry.up.isOn;
    if (isCutOff && /not connected, though the running agent is/.test(body.err_msg)) return;
    if (status !== 200) throw new Error(`agent ${this.name} cannot be upgraded: ${body.err_msg}`);
  }

  // --- its network

  async cut(side, how) {
    const [gate, timeline] = side === 'registry' ? [this.registryGate, this.linked] : [this.inboundGate, this.reachable];
    timeline.set(false, this.world.clock.now());
    this.cuts[side] = how;
    if (how === 'swallow') gate.swallow(); else await gate.tell('cut');
  }

  async heal(side) {
    const [gate, timeline] = side === 'registry' ? [this.registryGate, this.linked] : [this.inboundGate, this.reachable];
    if (this.cuts[side] === 'none') return;
    if (this.cuts[side] === 'swallow') gate.release();
    this.cuts[side] = 'none';
    // A swallowing gate may have been left open when its agent ended.
    await gate.tell(side === 'inbound' && !this.isUp ? 'close' : 'open');
    timeline.set(true, this.world.clock.now());
  }
}

module.exports = { Agent, HOST, Provider, Publication };

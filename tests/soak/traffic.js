'use strict';
// The load: requests at a constant rate, over connections that come and go.

const frames = require('../integration/lib/frames');
const { within } = require('../integration/lib/wait');
const { Consumer } = require('./consumer');
const { MEBIBYTE, template } = require('./messages');
const { FAR, MIXED, PLAIN } = require('./world');

const TICK_MS = 5;
const SWEEP_MS = 1_000;
const RENEW_MS = 2_000; // one connection at a time is replaced by another
const NEAR_CONSUMERS = 12;
const DIRECT_CONSUMERS = 2; // of the far agent's inbound port, as plain Dubbo consumers are
const DIRECT_SHARE = 0.1;
const ONE_WAY_SHARE = 0.05;
const BACKLOG_S = 0.5; // what could not be sent for longer than that is left out
const TIMEOUTS_MS = [2_000, 3_000];
const IDS = [0n, 1n << 63n, frames.MAX_ID - 100n, 0x1234_5678_9abc_def0n];
const KIBIBYTE = 1024;

const SERIALIZATIONS = [[0.55, frames.HESSIAN2], [0.8, frames.FASTJSON2], [0.9, frames.FASTJSON], [1, frames.JAVA]];
const SERVICES = [[0.5, PLAIN], [0.75, FAR], [1, MIXED]];
// 11 KiB on average.
const SIZES = [
  [0.3, 0], [0.6, 100], [0.8, 1500], [0.9, 8 * KIBIBYTE], [0.94, 40 * KIBIBYTE], [0.97, 70 * KIBIBYTE], [0.995, 128 * KIBIBYTE], [0.999, 200 * KIBIBYTE],
  [1, MEBIBYTE]];

// The one whose bound is the first above a random number.
function draw(random, bounds) {
  const number = random.next();
  return bounds.find(([bound]) => number < bound)[1];
}

class Traffic {
  static async start(world, ledger, random, rate) {
    const traffic = new Traffic(world, ledger, random, rate);
    for (let i = 0; i < NEAR_CONSUMERS; i++) traffic.nearConsumers.push(await traffic.connect(`consumer ${i}`));
    for (let i = 0; i < DIRECT_CONSUMERS; i++) traffic.directConsumers.push(await traffic.connectDirectly());
    traffic.resume();
    return traffic;
  }

  constructor(world, ledger, random, rate) {
    Object.assign(this, { world, ledger, random, rate, nearConsumers: [], directConsumers: [], all: new Set(), leftOut: 0, connections: 0 });
  }

  // A connection to the near agent's outbound port.
  async connect(name) {
    const consumer = await Consumer.connect(this.ledger, { name, agent: 'near', port: this.world.near.outbound, firstId: this.random.pick(IDS) });
    return this.adopt(consumer);
  }

  async connectDirectly() {
    return this.adopt(await Consumer.connect(this.ledger, { name: 'direct consumer', agent: 'far', port: this.world.far.inbound, firstId: 0n }));
  }

  adopt(consumer) {
    this.connections++;
    this.all.add(consumer);
    consumer.ended.then(() => this.all.delete(consumer));
    return consumer;
  }

  // A request of the usual mix, but for what `fixed` says.
  draw(fixed = {}) {
    const { random } = this;
    return template({
      service: draw(random, SERVICES), serialization: draw(random, SERIALIZATIONS), size: draw(random, SIZES), timeoutMs: random.pick(TIMEOUTS_MS), ...fixed });
  }

  // --- at a constant rate

  resume() {
    this.began = process.hrtime.bigint();
    this.due = 0;
    this.timers = [[() => this.sendDue(), TICK_MS], [() => this.sweep(), SWEEP_MS], [() => this.renew(), RENEW_MS]]
      .map(([act, ms]) => setInterval(act, ms));
  }

  sendDue() {
    const seconds = Number(process.hrtime.bigint() - this.began) / 1e9;
    const dueNow = Math.floor(seconds * this.rate);
    if (dueNow - this.due > this.rate * BACKLOG_S) {
      this.leftOut += dueNow - this.due;
      this.due = dueNow;
    }
    for (; this.due < dueNow; this.due++) this.sendOne();
  }

  sendOne() {
    const isDirect = this.random.chance(DIRECT_SHARE);
    const chosen = this.draw(isDirect ? { service: FAR } : {});
    const isTwoWay = !this.random.chance(ONE_WAY_SHARE);
    const takers = (isDirect ? this.directConsumers : this.nearConsumers).filter((consumer) => consumer.takesRequests);
    if (takers.length > 0) this.random.pick(takers).ask(chosen, isTwoWay);
    else this.leftOut++;
  }

  sweep() {
    const now = Date.now();
    for (const consumer of this.all) consumer.sweep(now);
  }

  async renew() {
    if (this.isRenewing) return;
    this.isRenewing = true;
    await Promise.all([this.renewNear(), this.renewDirect()]);
    this.isRenewing = false;
  }

  async renewNear() {
    const index = this.random.between(0, this.nearConsumers.length - 1);
    const old = this.nearConsumers[index];
    this.nearConsumers[index] = await this.connect(`consumer ${index}`);
    old.leave();
  }

  // The far agent may have ended, or be away.
  async renewDirect() {
    for (const [index, old] of this.directConsumers.entries()) {
      if (old.takesRequests) continue;
      try {
        this.directConsumers[index] = await this.connectDirectly();
      } catch {
        return;
      }
    }
  }

  pause() { for (const timer of this.timers) clearInterval(timer); }

  // No more requests; every answer has come and every connection has ended, or `limitMs` is over.
  async end(limitMs) {
    this.pause();
    const sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    const ended = Promise.all([...this.all].map((consumer) => consumer.leave()));
    await within(ended, 'all answers', limitMs).catch(() => {});
    clearInterval(sweeper);
    for (const consumer of this.all) {
      this.ledger.leftUnanswered(consumer.pending.values());
      consumer.pending.clear();
      consumer.vanish();
    }
  }
}

module.exports = { Traffic };

'use strict';
// Constant load with random faults; see the end of this file for its course. scripts/soak sets up, builds, and calls this.

const { randomInt } = require('node:crypto');
const { parseArgs } = require('node:util');
const { Stage } = require('../integration/lib/stage');
const { pause } = require('../integration/lib/wait');
const { Chaos } = require('./chaos');
const { FaultLog } = require('./fault-log');
const { Ledger, OK } = require('./ledger');
const { whenQuiet } = require('./leaks');
const { Random } = require('./random');
const { number, table, verdict } = require('./report');
const { Traffic } = require('./traffic');
const { World } = require('./world');

const HELP = `scripts/soak [minutes] [seed] [--rate N]

  minutes     how long there are faults; default 10. A warm-up before and a time to heal after come on top
  seed        decides the faults; default a random one
  --rate N    requests a second; default 2000
`;

const WARM_UP_S = [3, 15]; // at least and at most
const HEALED_S = [3, 10];
const PROGRESS_MS = 10_000;
const LAST_ANSWERS_MS = 20_000;
const POLL_MS = 100;

function options(argv) {
  const { values, positionals } = parseArgs({ args: argv, allowPositionals: true, options: { rate: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return null;
  const [minutes = '10', seed = String(randomInt(2 ** 32)), ...more] = positionals;
  const chosen = { minutes: Number(minutes), seed: Number(seed), rate: Number(values.rate || 2_000) };
  if (more.length > 0 || !(chosen.minutes > 0) || !(chosen.rate > 0) || !Number.isInteger(chosen.seed)) throw new Error(HELP);
  return chosen;
}

const clamp = (value, [least, most]) => Math.min(Math.max(value, least), most);

class Soak {
  constructor(stage, { minutes, seed, rate }) {
    const faultLog = new FaultLog();
    Object.assign(this, { stage, seed, rate, faultSeconds: minutes * 60, faultLog, ledger: new Ledger(faultLog), failures: [] });
  }

  // True where all was well.
  async run() {
    try {
      this.world = await World.start(this.stage);
      await this.warmUp();
      await this.suffer();
      await this.heal();
      await this.compare();
      await this.endAgents();
    } catch (error) {
      this.failures.push(`the soak could not go on: ${error.stack}`);
      if (this.traffic) this.traffic.pause();
    }
    return this.report();
  }

  async startTraffic(stream) {
    const random = new Random(this.seed, stream);
    this.traffic = await Traffic.start(this.world, this.ledger, random, this.rate);
    Object.assign(this.world, { traffic: this.traffic, ledger: this.ledger, random });
  }

  async warmUp() {
    this.say(`warming up; agents ${this.world.near.running.child.pid} (near) and ${this.world.far.running.child.pid} (far)`);
    await this.startTraffic('warm-up');
    await pause(clamp(this.faultSeconds / 6, WARM_UP_S) * 1000);
    await this.traffic.end(LAST_ANSWERS_MS);
    this.base = await this.whenQuiet();
  }

  async suffer() {
    await this.startTraffic('load');
    const end = Date.now() + this.faultSeconds * 1000;
    const progress = setInterval(() => this.sayProgress(), PROGRESS_MS);
    await new Chaos(this.world, new Random(this.seed, 'faults'), this.faultLog).run(() => Date.now() > end || this.nearHasEnded)
      .finally(() => clearInterval(progress));
  }

  // The load goes on: when the last fault explains nothing any more, every answer must be the provider's.
  async heal() {
    this.say('every fault was healed');
    await this.world.isSettled();
    while (Date.now() < this.faultLog.overAt && !this.nearHasEnded) await pause(POLL_MS);
    await pause(clamp(this.faultSeconds / 6, HEALED_S) * 1000);
    await this.traffic.end(LAST_ANSWERS_MS);
  }

  async whenQuiet(base) {
    const [near, far] = await Promise.all(['near', 'far'].map((name) => whenQuiet(this.world, this.world[name], base && base[name])));
    return { near, far };
  }

  async compare() { this.end = await this.whenQuiet(this.base); }

  // Under a sanitizer, their ends tell what else was wrong.
  async endAgents() {
    for (const { running } of [this.world.near, this.world.far]) {
      const { code, signal } = await running.stop();
      if (code !== 0) this.failures.push(`the ${running.name} agent ended with ${signal || code}:\n${running.log.slice(-4_000)}`);
    }
  }

  get nearHasEnded() { return this.world.near.running.hasEnded; }

  say(text) { console.log(`${String(Math.round((Date.now() - this.ledger.began) / 1000)).padStart(5)} s: ${text}`); }

  sayProgress() {
    const { ledger, faultLog } = this;
    this.say(`${number(ledger.asked)} requests, ${number(ledger.asked - ledger.answered)} on the way, ${ledger.lost + ledger.doubled + ledger.wrong} problems; `
      + `faults: ${faultLog.active.map(({ name }) => name).join(', ') || 'none'}`);
  }

  report() {
    const { ledger } = this;
    if (this.end) console.log(table({ ...this, near: this.end.near, base: this.base.near }));
    for (const text of [...ledger.problems, ...this.failures]) console.log(text);
    const leaked = this.end ? [...this.end.near.leaked, ...this.end.far.leaked] : ['not looked at'];
    console.log(verdict(ledger, leaked));
    return ledger.isClean && leaked.length + this.failures.length === 0 && ledger.statuses.get(OK) > 0;
  }
}

async function main() {
  const chosen = options(process.argv.slice(2));
  if (chosen === null) return console.log(HELP);
  console.log(`seed ${chosen.seed}, ${chosen.minutes} minutes, ${chosen.rate} requests a second`);
  const stage = new Stage();
  let isGood = false;
  try {
    isGood = await new Soak(stage, chosen).run();
  } finally {
    await stage.stopAll();
  }
  if (!isGood) console.log(`soak: failed; the faults again: scripts/soak ${chosen.minutes} ${chosen.seed} --rate ${chosen.rate}`);
  process.exitCode = isGood ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

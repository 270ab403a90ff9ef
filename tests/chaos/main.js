'use strict';
// Random steps against a whole world of agents, providers and a ZooKeeper, under calls; see Chaos for the course. scripts/chaos sets up, builds, and
// calls this.

const { randomInt } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Stage } = require('../integration/lib/stage');
const { eventually, pause, within } = require('../integration/lib/wait');
const { Random } = require('../soak/random');
const { Availability } = require('./availability');
const { CallBook } = require('./call-book');
const { CallStream } = require('./calls');
const { Clock } = require('./clock');
const { CALLED } = require('./plan');
const { describeProblems, isGood, table, tellMissingSteps, verdict } = require('./report');
const { nextStep } = require('./steps');
const { World } = require('./world');

const HELP = `scripts/chaos [minutes] [seed] [--steps N] [--logs FOLDER]

  minutes         how long there are steps, at most; default 10
  seed            decides the steps; default a random one
  --steps N       how many steps; default 200 where no minutes are given. Fewer within the minutes are a failure
  --logs FOLDER   where the logs of all processes go
`;

const DEFAULT_MINUTES = 10;
const DEFAULT_STEPS = 200;
const CALLS_PER_SECOND = { A: 60, B: 20 };
const PAUSE_MS = [0, 900];
const STEPS_TO_COMPARISON = [8, 24];
const STEP_LIMIT_MS = 45_000;
const SETTLED_LIMIT_MS = 90_000;
const LAST_CALLS_MS = 3_000; // with everything in order
const LAST_ANSWERS_MS = 10_000;

function options(argv) {
  const { values, positionals } = parseArgs({
    args: argv, allowPositionals: true, options: { steps: { type: 'string' }, logs: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return null;
  const [minutes, seed = String(randomInt(2 ** 32)), ...more] = positionals;
  const steps = values.steps || (minutes === undefined ? DEFAULT_STEPS : Infinity);
  const chosen = { minutes: Number(minutes === undefined ? DEFAULT_MINUTES : minutes), seed: Number(seed), steps: Number(steps), logs: values.logs };
  if (more.length > 0 || !(chosen.minutes > 0) || !(chosen.steps > 0) || !Number.isInteger(chosen.seed)) throw new Error(HELP);
  return chosen;
}

class Chaos {
  constructor(stage, { minutes, seed, steps }) {
    const clock = new Clock();
    Object.assign(this, {
      stage, seed, clock, endsAt: minutes * 60_000, stepsWanted: steps, random: new Random(seed, 'steps'), book: new CallBook(clock), streams: [],
      history: [], comparisons: 0, failures: [] });
  }

  // True where all was well.
  async run() {
    try {
      this.world = await World.start(this.stage, this.clock);
      await this.compare('begin');
      this.startCalls();
      await this.suffer();
      await this.finish();
    } catch (error) {
      this.failures.push(error);
    } finally {
      for (const stream of this.streams) stream.end();
      if (this.world) this.failures.push(...this.world.surprises);
    }
    return this.report();
  }

  startCalls() {
    for (const [name, perSecond] of Object.entries(CALLS_PER_SECOND)) {
      const random = new Random(this.seed, `calls through ${name}`);
      this.streams.push(new CallStream(this.book, { agent: this.world.agent(name), services: CALLED[name], perSecond, random }));
    }
  }

  async suffer() {
    let untilComparison = this.random.between(...STEPS_TO_COMPARISON);
    while (this.history.length < this.stepsWanted && this.clock.now() < this.endsAt) {
      await this.step();
      await pause(this.random.between(...PAUSE_MS));
      if (--untilComparison > 0) continue;
      await this.world.healNetworks();
      await this.compare('comparison');
      untilComparison = this.random.between(...STEPS_TO_COMPARISON);
    }
  }

  async step() {
    const { kind, name, run } = nextStep(this.world, this.random);
    const entry = { kind, name, from: this.clock.now(), to: Infinity };
    this.history.push(entry);
    try {
      await within(run(), `the step "${name}"`, STEP_LIMIT_MS);
    } catch (error) {
      throw new Error(`step ${this.history.length}, "${name}": ${error.message}`, { cause: error });
    } finally {
      entry.to = this.clock.now();
    }
    this.say(`${name}${this.world.faults.length > 0 ? ` (${this.world.faults.join(', ')})` : ''}`);
  }

  async compare(name, options) {
    const from = this.clock.now();
    try {
      await this.world.settle(SETTLED_LIMIT_MS, options);
    } catch (error) {
      throw new Error(`${name}: not as it should be within ${SETTLED_LIMIT_MS / 1000} s:\n  ${error.message}`, { cause: error });
    }
    this.comparisons++;
    this.say(`${name}: all as it should be after ${Math.round(this.clock.now() - from)} ms`);
  }

  async finish() {
    await this.world.healEverything();
    await this.compare('end', { isEnd: true });
    await pause(LAST_CALLS_MS);
    for (const stream of this.streams) stream.pause();
    await eventually(async () => !this.streams.some((stream) => stream.hasOpenCalls), 'every call was answered', LAST_ANSWERS_MS).catch(() => {});
    for (const agent of this.world.agents) await agent.stop('SIGTERM');
  }

  say(text) { console.log(`${(this.clock.now() / 1000).toFixed(3).padStart(8)} s: ${text}`); }

  report() {
    const { counts, problems } = this.judge();
    console.log(table(counts, this.history));
    for (const text of describeProblems(problems, this.history, this.clock)) console.log(text);
    for (const { stack } of this.failures) console.log(stack);
    const steps = { made: this.history.length, wanted: this.stepsWanted };
    if (this.failures.length === 0) for (const text of tellMissingSteps(steps)) console.log(text); // else it is those that ended it
    console.log(verdict({ counts, steps: steps.made, comparisons: this.comparisons, failures: this.failures.length }));
    return isGood({ counts, problems, failures: this.failures, steps });
  }

  judge() {
    const { places = [], registry, comparedAt, watch } = this.world || {};
    if (watch) watch.end();
    return this.book.judge(new Availability(places, { registry, comparedAt }), (service) => this.world.providersOf(service));
  }
}

function keepLogs(stage, folder) {
  fs.mkdirSync(folder, { recursive: true });
  stage.processes.forEach(({ name, log }, index) => fs.writeFileSync(path.join(folder, `${index}-${name.replaceAll(' ', '-')}.log`), log));
}

async function main() {
  const chosen = options(process.argv.slice(2));
  if (chosen === null) return console.log(HELP);
  const wanted = Number.isFinite(chosen.steps) ? `${chosen.steps} steps within` : 'steps for';
  console.log(`seed ${chosen.seed}, ${wanted} ${chosen.minutes} minutes`);
  const stage = new Stage();
  let wasGood = false;
  try {
    wasGood = await new Chaos(stage, chosen).run();
  } finally {
    await stage.stopAll();
    if (chosen.logs) keepLogs(stage, chosen.logs);
  }
  const steps = Number.isFinite(chosen.steps) ? ` --steps ${chosen.steps}` : '';
  if (!wasGood) console.log(`chaos: failed; the same steps again: scripts/chaos ${chosen.minutes} ${chosen.seed}${steps}`);
  process.exitCode = wasGood ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

'use strict';
// Runs the benchmarks that were asked for; scripts/bench sets up, builds, and calls this.

const { HELP, parse } = require('./options');

// Before what needs the set-up.
if (process.argv.includes('--help')) {
  console.log(HELP);
  process.exit();
}

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const { BINARY } = require('../integration/lib/agent');
const { Stage } = require('../integration/lib/stage');
const { load, startTargets } = require('./cast');
const { measureIdle } = require('./idle');
const { countSystemCalls } = require('./system-calls');
const { draw, merge } = require('./picture');
const { measurePieces } = require('./pieces');
const { measureRegistry } = require('./registry');
const { summarize, table } = require('./report');
const { measureRuleChanges } = require('./rule-changes');

const CALIBRATION_SECONDS = 2;
const SMALL_PAYLOAD = 128; // bytes
const BUSY_LOAD_AVERAGE = 0.7;

const title = (shape, options, rate) => [
  `${shape.name}: ${shape.connections} connections`,
  rate ? `${Math.round(rate)} requests/s` : `${shape.inFlight} in flight on each`,
  `${shape.payload} B`, `${options.providers} provider${options.providers > 1 ? 's' : ''}`,
  ...(options.services ? [`${options.services.toLocaleString('en')} more services at 20881-many`] : []),
  `medians of ${options.rounds} rounds of ${options.seconds} s`].join(', ');

// The rate of an open loop, from what HAProxy can do in a closed one.
async function rateOf(shape, targets, options) {
  if (!shape.percent) return undefined;
  const haproxy = targets.find((target) => target.name === 'haproxy');
  const closed = { ...shape, inFlight: 1 };
  const { answers_per_second: most } = await load(haproxy, closed, options, { seconds: CALIBRATION_SECONDS });
  return most * shape.percent / 100;
}

// Every target has its turn in every round, each round beginning with another one.
async function measure(shape, targets, options) {
  const rate = await rateOf(shape, targets, options);
  const runs = Object.fromEntries(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      runs[target.name].push(await load(target, shape, options, { rate }));
    }
  }
  const summary = summarize(runs);
  console.log(`\n${title(shape, options, rate)}\n\n${table(summary, Boolean(rate))}`);
  return { shape: shape.name, ...shape, rate, targets: summary };
}

// One line for each of `names`, from measureOne(stage, target).
async function measureEach(names, options, measureOne) {
  const stage = new Stage();
  try {
    await stage.explain(async () => {
      for (const target of await startTargets(stage, { ...options, targets: names }, SMALL_PAYLOAD)) {
        console.log(`${target.name.padEnd(10)} ${await measureOne(stage, target)}`);
      }
    });
  } finally {
    await stage.stopAll();
  }
}

const measureEachIdle = (options) => measureEach(['haproxy', 'nginx', '20881'], options, async (stage, target) => {
  const { connections, bytes } = await measureIdle(target, options.idle);
  return `${connections} idle connections: ${Math.round(bytes)} bytes each`;
});

const countEachSystemCalls = (options) => measureEach(['haproxy', 'nginx', 'relay', '20881', '20882'], options, async (stage, target) => {
  const { total, calls } = await countSystemCalls(stage, target, options);
  return `${total} system calls a request: ${Object.entries(calls).map(([call, count]) => `${call} ${count}`).join(', ')}`;
});

async function onStage(measureIt) {
  const stage = new Stage();
  try {
    await stage.explain(() => measureIt(stage));
  } finally {
    await stage.stopAll();
  }
}

async function measureAll(options) {
  const results = [];
  for (const payload of new Set(options.shapes.map((shape) => shape.payload))) {
    const stage = new Stage();
    try {
      await stage.explain(async () => {
        const targets = await startTargets(stage, options, payload);
        for (const shape of options.shapes.filter((one) => one.payload === payload)) results.push(await measure(shape, targets, options));
      });
    } finally {
      await stage.stopAll();
    }
  }
  return results;
}

const output = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0].trim();

function environment() {
  return {
    date: new Date().toISOString(),
    cpus: os.cpus().length,
    cpu: os.cpus()[0].model,
    kernel: os.release(),
    load_average: os.loadavg()[0],
    skiff: output(BINARY, 'version'),
    haproxy: output('haproxy', '-v'),
  };
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (options.draw) {
    await draw(merge(options.draw), options.picture);
    console.log(`drawn to ${options.picture}`);
    return;
  }
  const machine = environment();
  console.log(`${machine.date}, ${machine.cpus} x ${machine.cpu}, kernel ${machine.kernel}, load average ${machine.load_average.toFixed(2)}`);
  console.log(`${machine.skiff}; ${machine.haproxy}; CPUs: ${options.cpus}`);
  if (machine.load_average > BUSY_LOAD_AVERAGE) console.log('Other programs are at work here: what follows is noise in part.');
  if (options.idle) { await measureEachIdle(options); return; }
  if (options.pieces) { console.log(`\n${await measurePieces(options)}`); return; }
  if (options.systemCalls) { await countEachSystemCalls(options); return; }
  if (options.registry) { await onStage((stage) => measureRegistry(stage, options.registry)); return; }
  if (options.ruleChanges) { await onStage((stage) => measureRuleChanges(stage, options.ruleChanges)); return; }
  const results = await measureAll(options);
  const measured = { ...machine, options, results };
  fs.writeFileSync(options.json, `${JSON.stringify(measured, null, 1)}\n`);
  await draw(measured, options.picture);
  console.log(`\nwritten to ${options.json}, drawn to ${options.picture}`);
  const errors = results.flatMap(({ targets }) => Object.values(targets)).reduce((sum, target) => sum + target.errors, 0);
  if (errors > 0) {
    console.error(`${errors} requests went wrong`);
    process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(`scripts/bench: ${error.message}`);
  process.exit(1);
});

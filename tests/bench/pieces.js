'use strict';
// The single steps of the data path (pieces/): what one of each takes and allocates.

const path = require('node:path');
const { run } = require('../integration/lib/command');
const { PROGRAMS, cpuPlan } = require('./cast');
const { digits, markdown, median } = require('./report');

const PIECES = path.join(PROGRAMS, 'pieces/bench_pieces');
const REPETITIONS = 5;
const SECONDS = 0.1; // of each repetition
const LIMIT_MS = 300_000;
const NANOS = 1e9;

// { name: [{ each, allocations }, ...] }, a repetition each.
async function runPieces(options) {
  const args = [PIECES, '--benchmark_format=json', `--benchmark_repetitions=${REPETITIONS}`, `--benchmark_min_time=${SECONDS}`,
    '--benchmark_enable_random_interleaving=true'];
  const { proxies: cpu } = cpuPlan(options.cpus);
  const [command, ...rest] = cpu === null ? args : ['taskset', '-c', cpu, ...args];
  const { code, stdout, stderr } = await run(command, rest, { timeout: LIMIT_MS });
  if (code !== 0) throw new Error(`bench_pieces ended with ${code}: ${stderr}`);
  // It writes NaN, which is no JSON, for the deviation of what is always 0; and what ran in random order is wanted in its own.
  const all = JSON.parse(stdout.replace(/: NaN/g, ': null')).benchmarks;
  const repetitions = all.filter((one) => one.run_type === 'iteration').sort((a, b) => a.family_index - b.family_index);
  const runs = {};
  for (const one of repetitions) (runs[one.run_name] ||= []).push(one);
  return runs;
}

// A table of all pieces.
async function measurePieces(options) {
  const rows = Object.entries(await runPieces(options)).map(([name, runs]) => {
    const nanos = runs.map(({ each }) => each * NANOS);
    return [name, digits(median(nanos)), `${digits(Math.min(...nanos))}-${digits(Math.max(...nanos))}`,
      digits(median(runs.map(({ allocations }) => allocations)))];
  });
  return markdown([['', 'ns', `in ${REPETITIONS} repetitions`, 'allocations'], ...rows]);
}

module.exports = { measurePieces };

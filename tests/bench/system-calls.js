'use strict';
// How often a process goes into the kernel for one lone request and its answer.

const fs = require('node:fs');
const path = require('node:path');
const { eventually, within } = require('../integration/lib/wait');
const { load } = require('./cast');

const REQUESTS = 5000;
const LONE = { name: '1x1', connections: 1, inFlight: 1, payload: 128 };

// From the table of `strace -c`: { call: count }.
function readCounts(text) {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/)).filter((cells) => /^\d+\.\d+$/.test(cells[0]) && cells.at(-1) !== 'total');
  return Object.fromEntries(rows.map((cells) => [cells.at(-1), Number(cells[3])]));
}

// { total, calls: { name: how often } }, for each request; what connecting takes is among them, and rounded away.
async function countSystemCalls(stage, target, options) {
  const file = path.join(stage.folder(), 'calls');
  const tracer = stage.start('strace', 'strace', ['-c', '-f', '-o', file, ...target.pids.flatMap((pid) => ['-p', String(pid)])]);
  await eventually(() => tracer.hasEnded || tracer.log.includes('attached'), 'strace is attached');
  if (tracer.hasEnded) throw new Error(`strace: ${tracer.log}`);
  const { answers } = await load(target, LONE, options, { requests: REQUESTS, seconds: 60, warmup: 0 });
  tracer.child.kill('SIGINT');
  await within(tracer.ended, 'strace ends');
  const counts = Object.entries(readCounts(fs.readFileSync(file, 'utf8'))).map(([call, count]) => [call, Math.round(count / answers * 100) / 100]);
  const calls = Object.fromEntries(counts.filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a));
  return { calls, total: Math.round(Object.values(calls).reduce((sum, count) => sum + count, 0) * 100) / 100 };
}

module.exports = { countSystemCalls };

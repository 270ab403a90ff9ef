'use strict';
// How long changes of a registry take to the last worker, as the agent itself measures it.

const { eventually } = require('../integration/lib/wait');

const METRIC = 'skiff_route_update_seconds';

async function read(agent) {
  const text = await (await fetch(`${agent.url}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${METRIC}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm'))]
    .map(([, bound, count]) => ({ bound, count: Number(count) }));
}

// The bound, in seconds, that so much of what was observed between two readings of a histogram keeps within.
function quantile(before, after, share) {
  const counts = after.map(({ count }, i) => count - before[i].count);
  return after[counts.findIndex((count) => count >= share * counts.at(-1))].bound;
}

// Makes `count` changes, change(i), and waits until all have reached the workers. Nobody asks the agent anything meanwhile: with two CPUs
// for all, that alone would double the median.
async function measureChanges(agent, count, change) {
  const before = await read(agent);
  for (let i = 0; i < count; i++) await change(i);
  const after = await eventually(async () => {
    const now = await read(agent);
    return now.at(-1).count >= before.at(-1).count + count && now;
  }, 'all changes have reached the workers');
  return { p50: quantile(before, after, 0.5), p99: quantile(before, after, 0.99) };
}

const shownChanges = ({ p50, p99 }) => `p50 within ${p50 * 1000} ms, p99 within ${p99 * 1000} ms`;

module.exports = { measureChanges, shownChanges };

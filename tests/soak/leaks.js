'use strict';
// What an agent holds, and what of it should not be there when no consumer is.
//
// A request is a slot with its timer and its kept bytes, a connection a descriptor with its timers and its buffers: timers have no gauge of
// their own, they are parts of what is counted.

const fs = require('node:fs');
const { pause } = require('../integration/lib/wait');
const { descriptorsOf } = require('./descriptors');
const { WORKERS } = require('./world');

const UPSTREAM_CONNECTIONS_MAX = 4; // of one worker to one provider: limits.h

const POLL_MS = 200;
// Longer than a heartbeat's three intervals, the session timeout, and the time that a closing connection is given.
const QUIET_LIMIT_MS = 30_000;
const ZERO_GAUGES = [
  'outbound_in_flight', 'inbound_in_flight', 'outbound_held', 'outbound_kept_bytes', 'outbound_connections', 'buffer_bytes_in_use', 'workers_silent',
].map((name) => `skiff_${name}`);

// Memory beside the buffers that an agent may have more than after the warm-up. It keeps a slot for each of the requests that were in flight
// at the same time (some thousands, 200 bytes each), and tables as large as they ever were; a crowd leaves holes in the allocator's arenas.
// The most that was seen is 1 MiB; 20 bytes lost with each request would be more than this after some minutes.
const MEMORY_GROWTH_KIB = 6 * 1024;
// Nothing has so much address space but a process under a sanitizer, whose freed memory waits in a quarantine.
const SANITIZER_ADDRESS_SPACE_KIB = 2 ** 40 / 1024;

const statusOf = (pid) => Object.fromEntries([...fs.readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(\w+):\s+(\d+) kB$/gm)]
  .map(([, name, value]) => [name, Number(value)]));

// Which connections an agent has, by port.
function portNames(world, agent) {
  const names = new Map([[agent.outbound, 'outbound'], [agent.inbound, 'inbound'], [agent.api, 'api'], [world.zookeeper.port, 'zookeeper']]);
  const isNear = agent === world.near;
  if (isNear) names.set(world.far.inbound, 'to the far agent');
  for (const provider of world.providers) names.set(provider.port, `to provider ${provider.name}`);
  return names;
}

async function look(world, agent) {
  const { pid } = agent.running.child;
  const descriptors = descriptorsOf(pid, portNames(world, agent));
  const status = statusOf(pid);
  const isSanitized = status.VmSize > SANITIZER_ADDRESS_SPACE_KIB;
  const metrics = await agent.metrics();
  return { metrics, descriptors, isSanitized, memoryKiB: Math.round(status.RssAnon - metrics.skiff_buffer_bytes / 1024) };
}

// How many descriptors of a kind an idle agent may have. Connections to providers may stay: some a worker and provider; so may those between
// the agents. Those to the API are of this program.
function allowed(kind, base) {
  if (kind === 'api') return Infinity;
  if (kind === 'outbound') return 0;
  if (kind === 'inbound' || kind.startsWith('to ')) return WORKERS * UPSTREAM_CONNECTIONS_MAX;
  return base ? base.descriptors[kind] || 0 : Infinity;
}

const descriptorFindings = ({ descriptors }, base) => Object.entries(descriptors)
  .filter(([kind, count]) => count > allowed(kind, base))
  .map(([kind, count]) => `${count} descriptors: ${kind} (at most ${allowed(kind, base)})`);

function findings(seen, base) {
  const found = ZERO_GAUGES.filter((name) => seen.metrics[name] !== 0).map((name) => `${name} is ${seen.metrics[name]}`);
  found.push(...descriptorFindings(seen, base));
  const limitKiB = base && base.memoryKiB + MEMORY_GROWTH_KIB;
  if (base && !seen.isSanitized && seen.memoryKiB > limitKiB) found.push(`${seen.memoryKiB} KiB of memory beside the buffers (at most ${limitKiB})`);
  return found;
}

// Waits until an agent holds nothing that it should not; what it holds in the end, and what of it is a leak. `base`: an earlier look.
async function whenQuiet(world, agent, base) {
  const end = Date.now() + QUIET_LIMIT_MS;
  for (;;) {
    const seen = await look(world, agent);
    const leaked = findings(seen, base).map((text) => `${agent.running.name} agent: ${text}`);
    if (leaked.length === 0 || Date.now() > end) return { ...seen, leaked };
    await pause(POLL_MS);
  }
}

module.exports = { whenQuiet };

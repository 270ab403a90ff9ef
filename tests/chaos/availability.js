'use strict';
// The model: when a call through an agent must succeed, and what may excuse a failure.
//
// A *place* is one service at one address in the registry: a publication of agent B or C, whose address is the agent's, or the plain
// provider. A place is *available* to the consumers of agent k while all of this is certain:
//
//   its provider listens, and did RESTART_MS ago where it is behind an agent (which may have to find out first)
//   its agent runs, and its network is whole: others can connect to it, and could HEALED_MS ago: a connection in the making may have been given up
//   it is published, and nobody has begun to take it back
//   its node stands in the registry (with LAG_MS before it was seen to go); or it went with all others of the service less than STALE_MS ago, so
//   that the last list is still in use
//   k knows it: the node stood there for KNOWN_MS while k ran, k's network to the registry was whole and the registry served, all of it for
//   RECONNECT_MS where it had been otherwise; or a comparison has found that k knows it, and k ran on for STORED_MS. k goes on knowing it while the node stands there:
//   through registry outages, cut networks and restarts of k
//
// A call is *covered* if at each moment of its life some place of its service was available to its agent. A call that is not covered may
// fail. So may one whose own agent did not run all the time. Any other failure must have been sent, and lost by somebody who was not well:
//
//   status 80 "connection lost", 31: the provider that the answer names had a hard fault: its process, its agent or its network was down or
//   cut in the life of the call or AFTERMATH_MS before
//   status 80 by the other agent, "the provider at ... cannot be connected to" or "closed its connection": that provider was down then; and
//   until the registry could know, with DETECTED_MS for its agent and HELD_MS for who was held by the brake of the consumer's agent
//
//   status 70 or 80 by the other agent that took the service back less than FORGOTTEN_MS ago and was restarted since: who saw most providers go
//   at once holds on to them, an agent goes on serving what it took back, but not after its restart
//
// An orderly stop of an agent and an unpublication are no hard faults: they may take a place away, but no call. An upgrade takes nothing away.
// What was never sent (status 60, 100, and 80 "can be reached") must not fail while it is covered.

const { HELD_MS } = require('./plan');
const { complement, covers, intersect, shrink, touches, unite } = require('./spans');

const RESTART_MS = 2_000;
const HEALED_MS = 2_000;
const KNOWN_MS = 3_000;
const RECONNECT_MS = 8_000;
const STORED_MS = 2_000;
const AFTERMATH_MS = 1_000;
const DETECTED_MS = 3_000;
const FORGOTTEN_MS = 10_000 + HELD_MS + KNOWN_MS; // providers that vanish within 10 s vanish at once

// When `place` is known to agent `k`.
function knownTo(k, place, { registry, comparedAt }) {
  const settling = RECONNECT_MS - KNOWN_MS;
  const follows = intersect(shrink(k.running.spans, settling), shrink(intersect(k.linked.spans, registry.up.spans), settling));
  return place.listed.spans.flatMap(([from, to]) => {
    const learned = intersect([[from, to]], follows).filter(([begin, end]) => end - begin > KNOWN_MS).map(([begin]) => begin + KNOWN_MS);
    const compared = comparedAt.filter((at) => from <= at && at < to && covers(k.running.spans, at, at + STORED_MS));
    const since = Math.min(...learned, ...compared);
    return since < to ? [[since, to]] : [];
  });
}

// When the place is able to serve, whoever knows it.
function servingSpans({ provider, agent, publication }) {
  if (!agent) return provider.up.spans;
  return intersect(shrink(provider.up.spans, RESTART_MS), agent.running.spans, shrink(agent.reachable.spans, HEALED_MS), publication.wanted.spans);
}

class Availability {
  // `places`: { address, service, provider, agent, publication, listed }; `comparedAt`: when everything was found equal.
  constructor(places, { registry, comparedAt }) { Object.assign(this, { places, registry, comparedAt, cache: new Map() }); }

  // When some place of the service is available to agent `k`.
  spans(k, service) {
    const key = `${k.name} ${service.interface}`;
    if (!this.cache.has(key)) {
      const ofService = this.places.filter((place) => place.service === service);
      this.cache.set(key, unite(...ofService.map((place) => intersect(servingSpans(place), knownTo(k, place, this)))));
    }
    return this.cache.get(key);
  }

  covers(k, service, from, to) { return covers(this.spans(k, service), from, to); }

  // Why the failure of a covered call may be; undefined where nothing excuses it. `call`: { agent, service, start, end, status, text }.
  excuse(call) {
    if (!covers(call.agent.running.spans, call.start, call.end)) return 'its own agent was down';
    if (!this.covers(call.agent, call.service, call.start, call.end)) return 'no provider was available';
    const from = call.start - AFTERMATH_MS;
    for (const place of this.places.filter((one) => one.service === call.service)) {
      if (isLostBy(call, place.address) && this.hadHardFault(place, from, call.end)) return `it was sent to ${nameOf(place)}, which was lost`;
      if (place.agent && isForgottenBy(place, call)) return `${place.agent.name} had taken it back, and was restarted`;
      if (place.agent && isRefusedFor(call, place.provider) && this.couldBeAsked(call.agent, place, call)) return `${place.provider.name} was down`;
    }
    return undefined;
  }

  hadHardFault({ provider, agent }, from, to) {
    const bad = unite(provider.killed.spans, ...(agent ? [agent.killed.spans, complement(agent.reachable.spans)] : []));
    return touches(bad, from, to);
  }

  // The provider was down, and consumers of agent `k` could not know for certain.
  couldBeAsked(k, place, { start, end }) {
    return place.provider.killed.spans.some(([from, to]) => {
      if (from > end || to + RESTART_MS < start) return false;
      return start < this.mustBeKnownBy(k, place, from);
    });
  }

  // When k has to have heard that the place went down at `downAt`: its agent had time to find out and tell, then k to hear of it.
  mustBeKnownBy(k, place, downAt) {
    const connected = (agent) => intersect(agent.running.spans, agent.linked.spans, this.registry.up.spans);
    const told = firstStretch(connected(place.agent), downAt, DETECTED_MS, RECONNECT_MS);
    return firstStretch(connected(k), told, KNOWN_MS, RECONNECT_MS) + HELD_MS;
  }
}

// The end of the first stretch of `spans` after `from` that lasts for `ms`, and for `interruptedMs` where it begins later.
function firstStretch(spans, from, ms, interruptedMs) {
  for (const [begin, end] of spans) {
    const at = begin + interruptedMs <= from + ms ? from + ms : begin + interruptedMs;
    if (at <= end && end > from) return at;
  }
  return Infinity;
}

const nameOf = ({ agent, provider }) => (agent ? `agent ${agent.name}` : provider.name);

// The answer says that the request was sent to that address and not answered.
const isLostBy = ({ status, text }, address) => (
  (status === 80 && text.includes(`the connection to ${address} was lost before its answer came`)) || (status === 31 && text.includes(address)));

// The other agent says so of its own provider.
const isRefusedFor = ({ status, text }, provider) => status === 80 && text.startsWith('skiff: the provider') && text.includes(provider.address);

// The agent sent the call to whom else it had, or to nobody.
function isForgottenBy({ agent, publication }, { start, end, status, text }) {
  const isItsAnswer = status === 70 || (status === 80 && text.includes(`the provider at ${agent.noProviderAddress}`));
  return isItsAnswer && complement(publication.wanted.spans).some(([from, to]) => (
    from > -Infinity && from < end && to > start && start < from + FORGOTTEN_MS && touches(complement(agent.running.spans), from, end)));
}

module.exports = { Availability };

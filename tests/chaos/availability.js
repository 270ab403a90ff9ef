'use strict';
// The model: when a call through an agent must succeed, and what may excuse a failure.
//
// A *place* is one service at one address in the registry: a publication of agent B or C, whose address is the agent's, or the plain
// provider. A place is *available* to the consumers of agent k while all of this is certain:
//
//   its provider listens, and did RESTART_MS ago where it is behind an agent (which may have to find out first)
//   its agent runs, and its network is whole: others can connect to it
//   it is published, and nobody has begun to take it back
//   its node stands in the registry (with LAG_MS before it was seen to go)
//   k knows it: the node stood there for KNOWN_MS while k ran, k's network to the registry was whole and the registry served, all of it for
//   RECONNECT_MS where it had been otherwise; or a comparison has found that k knows it. k goes on knowing it while the node stands there:
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
// An orderly stop of an agent and an unpublication are no hard faults: they may take a place away, but no call. What was never sent (status 60,
// 100, and 80 "can be reached") must not fail while it is covered.

const { HELD_MS } = require('./plan');
const { complement, covers, intersect, shrink, touches, unite } = require('./spans');

const RESTART_MS = 2_000;
const KNOWN_MS = 3_000;
const RECONNECT_MS = 8_000;
const AFTERMATH_MS = 1_000;
const DETECTED_MS = 3_000;

// When `place` is known to agent `k`.
function knownTo(k, place, { registry, comparedAt }) {
  const follows = intersect(shrink(k.running.spans, RECONNECT_MS - KNOWN_MS), shrink(intersect(k.linked.spans, registry.up.spans), RECONNECT_MS - KNOWN_MS));
  return place.listed.spans.flatMap(([from, to]) => {
    const learned = intersect([[from, to]], follows).filter(([begin, end]) => end - begin > KNOWN_MS).map(([begin]) => begin + KNOWN_MS);
    const compared = comparedAt.filter((at) => from <= at && at < to && covers(k.running.spans, at, at));
    const since = Math.min(...learned, ...compared);
    return since < to ? [[since, to]] : [];
  });
}

// When the place is able to serve, whoever knows it.
function servingSpans({ provider, agent, publication }) {
  if (!agent) return provider.up.spans;
  return intersect(shrink(provider.up.spans, RESTART_MS), agent.running.spans, agent.reachable.spans, publication.wanted.spans);
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
      if (isLostBy(call, place.address) && this.hadHardFault(place, from, call.end)) return `it was sent to ${place.address}, which was lost`;
      if (place.agent && isRefusedFor(call, place.provider) && this.couldBeAsked(call.agent, place, call)) return `${place.provider.name} was down`;
    }
    return undefined;
  }

  hadHardFault({ provider, agent }, from, to) {
    if (!agent) return touches(provider.killed.spans, from, to);
    return touches(provider.killed.spans, from, to) || (touches(agent.killed.spans, from, to) || touches(complement(agent.reachable.spans), from, to));
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
    const told = firstStretch(intersect(place.agent.running.spans, place.agent.linked.spans, this.registry.up.spans), downAt, DETECTED_MS, RECONNECT_MS);
    const heard = firstStretch(intersect(k.running.spans, k.linked.spans, this.registry.up.spans), told, KNOWN_MS, RECONNECT_MS);
    return heard + HELD_MS;
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

// The answer says that the request was sent to that address and not answered.
const isLostBy = ({ status, text }, address) => (
  (status === 80 && text.includes(`the connection to ${address} was lost before its answer came`)) || (status === 31 && text.includes(address)));

// The other agent says so of its own provider.
const isRefusedFor = ({ status, text }, provider) => status === 80 && text.startsWith('skiff: the provider') && text.includes(provider.address);

module.exports = { Availability };

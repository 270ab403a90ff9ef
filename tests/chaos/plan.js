'use strict';
// Who takes part, before anything happens.
//
//            consumers' calls          agents                providers
//   A   five services             consumes only
//   B   two services              provides, too         b1 (Both, OnlyB), b2 (Also)
//   C                             provides              c1 (Both, Mixed), c2 (Also, OnlyC)
//                                                       plain (Mixed), in the registry by itself

const PREFIX = 'com.example.chaos';

const service = (name, version = '') => ({ name, interface: `${PREFIX}.${name}`, version });

const BOTH = service('Both');
const ALSO = service('Also', '1.0.0');
const ONLY_B = service('OnlyB');
const ONLY_C = service('OnlyC');
const MIXED = service('Mixed');
const SERVICES = [BOTH, ALSO, ONLY_B, ONLY_C, MIXED];

const AGENTS = ['A', 'B', 'C'];

// The services of each provider, and its agent; without one it is a plain provider.
const PROVIDERS = [
  { name: 'b1', agent: 'B', services: [BOTH, ONLY_B] },
  { name: 'b2', agent: 'B', services: [ALSO] },
  { name: 'c1', agent: 'C', services: [BOTH, MIXED] },
  { name: 'c2', agent: 'C', services: [ALSO, ONLY_C] },
  { name: 'plain', services: [MIXED] },
];

// What an agent subscribes to and is asked for, always.
const CALLED = { A: SERVICES, B: [ONLY_C, ALSO], C: [] };

// Subscriptions that come and go; nobody calls these there.
const UNCALLED = { A: [], B: [MIXED], C: [BOTH, ONLY_B] };

// Agents' settings that make long times short.
const SESSION_MS = 4_000;
const HELD_MS = 6_000;
const FLAGS = ['--heartbeat-interval', '1s', '--drain-timeout', '3s', '--connect-timeout', '500ms', '--registry-check-interval', '5s',
  '--empty-list-time', `${HELD_MS}ms`, '--vanish-hold-time', `${HELD_MS}ms`];
// A provider that is killed refuses connections at once; one that shares busy CPUs may well take its time.
const CHECK = { type: 'dubbo', interval: '200ms', timeout: '2s', failures: 2, successes: 1 };

module.exports = { AGENTS, CALLED, CHECK, FLAGS, HELD_MS, PREFIX, PROVIDERS, SERVICES, SESSION_MS, UNCALLED };

'use strict';
// What must stand in the registry and be said by the agents, against what does. Pure; world.js gathers both.
//
// `wanted` and `seen` have the same parts:
//   providers      { address, interface, version, revision, owner } of each node; `owner` is the session that must own it, as hex
//   consumers      { application, interface, owner }
//   publications   { agent, interface, version, port, state }
//   subscriptions  { agent, interface, version, state }
//   lists          { agent, interface, addresses }: whom each agent would call

const PARTS = ['providers', 'consumers', 'publications', 'subscriptions', 'lists'];

// What makes two entries of a part the same thing.
const IDENTITY = {
  providers: ['address', 'interface', 'version'],
  consumers: ['application', 'interface', 'version'],
  publications: ['agent', 'interface', 'version', 'port'],
  subscriptions: ['agent', 'interface', 'version'],
  lists: ['agent', 'interface'],
};

const identityOf = (part, entry) => IDENTITY[part].map((key) => entry[key]).join(' ');

function compareContents(what, wanted, seen) {
  return Object.keys(wanted)
    .filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(seen[key]))
    .map((key) => `${what}: ${key} is ${JSON.stringify(seen[key])} instead of ${JSON.stringify(wanted[key])}`);
}

function comparePart(part, wanted, seen) {
  const differences = [];
  const left = [...seen];
  for (const entry of wanted) {
    const what = `${part}: ${identityOf(part, entry)}`;
    const same = left.filter((one) => identityOf(part, one) === identityOf(part, entry));
    for (const one of same) left.splice(left.indexOf(one), 1);
    if (same.length === 0) differences.push(`${what}: missing`);
    else if (same.length > 1) differences.push(`${what}: ${same.length} times`);
    else differences.push(...compareContents(what, entry, same[0]));
  }
  return [...differences, ...left.map((one) => `${part}: ${identityOf(part, one)}: should not be there`)];
}

// Sentences; none where all is as it should be.
const differences = (wanted, seen) => PARTS.flatMap((part) => comparePart(part, wanted[part], seen[part]));

module.exports = { differences };

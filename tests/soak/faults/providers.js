'use strict';
// What providers do wrong. `explains`: the statuses that their services' requests may get of it.

// The modes of provider-process.js.
const MODES = [
  { name: 'provider refuses connections', mode: 'refuse', explains: [80] },
  { name: 'provider resets within an answer', mode: 'reset-in-frame', explains: [80] },
  { name: 'provider never answers', mode: 'never', explains: [31, 80] }, // 80: it is started again at the end
  { name: 'provider answers late', mode: 'late', explains: [31] },
  { name: 'provider answers twice', mode: 'twice', explains: [] },
  { name: 'provider answers unknown ids', mode: 'unknown-ids', explains: [] },
  { name: 'provider sends garbage', mode: 'garbage', explains: [80] },
  { name: 'provider stalls within an answer', mode: 'half-frame', explains: [31, 80] },
  { name: 'provider does not read', mode: 'deaf', explains: [31, 80, 100] },
  { name: 'provider has no threads', mode: 'busy', explains: [100] },
  { name: 'provider says READONLY', mode: 'readonly', explains: [] },
  { name: 'provider sends an over-long answer', mode: 'oversized', explains: [50] },
];

const OTHERS = [
  {
    name: 'provider killed',
    explains: [80],
    begin: async (provider) => {
      await provider.kill();
      return () => provider.start();
    },
  },
  {
    name: 'provider frozen',
    explains: [31, 80, 100],
    begin: async (provider) => {
      provider.freeze();
      return () => provider.thaw();
    },
  },
  {
    name: 'provider is a black hole',
    explains: [31, 80],
    begin: async (provider) => {
      await provider.becomeBlackHole();
      return () => provider.thaw();
    },
  },
];

async function misbehave(provider, mode) {
  await provider.set(mode);
  return () => provider.set('echo');
}

const kinds = [...MODES.map((kind) => ({ ...kind, begin: (provider) => misbehave(provider, kind.mode) })), ...OTHERS];

module.exports = kinds.map(({ name, explains, begin }) => ({
  name,
  make: (world, random) => {
    const provider = random.pick(world.providers);
    return { target: provider.name, services: provider.services, explains, locks: [provider.name], begin: () => begin(provider) };
  },
}));

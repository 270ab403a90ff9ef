'use strict';
// Governance rules for a service that is called: each request looks at many and passes some.

const { eventually } = require('../integration/lib/wait');

const PASSED_OF_TEN = 1; // each passed one narrows the providers to all that are there
const RULED_SERVICE = 'com.example.RuledBenchService';

// Of ten rules one is passed, by an attachment; four are about another value of an attachment of the same method, so that they have to be
// looked at as well; five are about other methods.
function condition(i) {
  const place = i % 10;
  if (place < PASSED_OF_TEN) return 'method=echo & attachments[remote.application]=bench => host=127.0.0.*';
  if (place < 5) return `method=ech* & attachments[remote.application]=other-${i} => host=10.${i}.*`;
  return `method=find${i},list${i} => host=10.${i}.*`;
}

// A target like `plain`, in the same agent, whose service has `count` rules; it is there when they are in force.
async function withRules(zookeeper, plain, ports, count) {
  for (const port of ports) await zookeeper.register(RULED_SERVICE, { port });
  const conditions = Array.from({ length: count }, (_, i) => `  - "${condition(i)}"\n`).join('');
  await zookeeper.setDocument(`${RULED_SERVICE}::.condition-router`,
    `configVersion: v3.0\nscope: service\nkey: ${RULED_SERVICE}\nforce: true\nruntime: true\nenabled: true\nconditions:\n${conditions}`);
  await plain.agent.subscribe({ interface: RULED_SERVICE }, ports.length);
  const passed = Math.ceil(count / 10) * PASSED_OF_TEN;
  await eventually(async () => {
    const { body } = await plain.agent.get(`/explain?interface=${RULED_SERVICE}&method=echo&attachment.remote.application=bench`);
    return body.paths && body.paths[0].rules.filter(({ outcome }) => outcome === 'narrowed').length === passed;
  }, `a request passes ${passed} of ${count} rules`);
  return { ...plain, name: '20881-rules', service: RULED_SERVICE };
}

module.exports = { withRules };

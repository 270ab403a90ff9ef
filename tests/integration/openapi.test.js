'use strict';
// The OpenAPI document: it is one, it is the one that is served, and every operation answers as it says.
// (lib/agent.js holds every answer of every other test against it, too.)

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { checkAnswer, checkDocument, pathOf } = require('./lib/openapi');
const { scenario } = require('./lib/stage');
const { startZooKeeper } = require('./lib/zookeeper');
const DOCUMENT = require('../../agent/openapi.json');

const NAME = 'com.example.Described';
const SERVICE = { service: { interface: NAME, version: '1.0.0', group: 'blue', port: 20880, methods: ['call'], check: { type: 'none' } } };

// What a mistake in the document looks like, and what the check must say of it.
const MISTAKES = {
  'a reference that leads nowhere': [(it) => { it.paths['/healthz'].get.responses['200'] = { $ref: '#/components/responses/None' }; }, /leads nowhere/],
  'a status that is none': [(it) => { it.paths['/healthz'].get.responses['2000'] = { description: '' }; }, /is no status/],
  'a parameter that its path has not': [(it) => { it.paths['/services/{name}'] = it.paths['/services/{interface}']; }, /parameters differ/],
  'an operationId twice': [(it) => { it.paths['/readyz'].get.operationId = it.paths['/healthz'].get.operationId; }, /used twice/],
  'a word that OpenAPI has not': [(it) => { it.paths['/healthz'].get.sumary = 'Alive'; }, /has no sumary/],
  'no title': [(it) => { delete it.info.title; }, /title is missing/],
};

scenario('The OpenAPI document', ({ stage, before, it }) => {
  let agent;
  before(async () => {
    const zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  it('validates', () => assert.deepEqual(checkDocument(DOCUMENT), []));

  for (const [what, [damage, says]] of Object.entries(MISTAKES)) {
    it(`would not validate with ${what}`, () => {
      const damaged = structuredClone(DOCUMENT);
      damage(damaged);
      assert.match(checkDocument(damaged).join('\n'), says);
    });
  }

  it('would not fit an answer of another shape', () => {
    const fits = { status: 200, type: 'application/json', body: { status: 'ok' } };
    const says = (change) => checkAnswer(DOCUMENT, 'GET', '/healthz', { ...fits, ...change }).join('\n');
    assert.equal(says({}), '');
    assert.match(says({ status: 418 }), /does not know this status/);
    assert.match(says({ type: 'text/plain' }), /does not know text\/plain/);
    assert.match(says({ body: {} }), /status is missing/);
    assert.match(says({ body: { status: 1 } }), /expected string/);
    assert.match(says({ body: { status: 'ok', more: 1 } }), /more is not described/);
  });

  it('is what the agent serves', async () => assert.deepEqual((await agent.get('/openapi.json')).body, DOCUMENT));

  it('describes what every operation answers', async () => {
    const seen = new Set();
    const ask = async (method, target, status, body) => {
      const answer = await agent.send(method, target, body && JSON.stringify(body));
      assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`);
      seen.add(`${method} ${pathOf(DOCUMENT, target)}`);
    };
    await ask('GET', `/services/${NAME}`, 404);
    for (const [on, off] of [['publish', 'unpublish'], ['pub', 'unpub'], ['subscribe', 'unsubscribe'], ['sub', 'unsub']]) {
      await ask('POST', `/${on}?wait=10s`, 200, SERVICE);
      await ask('POST', `/${off}?wait=10s`, 200, SERVICE);
      await ask('POST', `/${on}?wait=10s`, 200, [SERVICE, { service: { ...SERVICE.service, group: 'green' } }]);
      await ask('POST', `/${on}`, 400, {});
    }
    await ask('POST', '/upgrade', 200);
    for (const target of ['/freeze', '/freeze', '/unfreeze', '/unfreeze']) await ask('POST', target, 200);
    const route = { domains: [NAME], routes: [{ cluster: 'all' }], clusters: [{ name: 'all' }] };
    for (const [method, status, body] of [['PUT', 200, route], ['PUT', 400, {}], ['GET', 200], ['DELETE', 200], ['DELETE', 404], ['GET', 404]]) {
      await ask(method, '/routes/described', status, body);
    }
    await ask('GET', '/routes', 200);
    await ask('GET', '/rules', 200);
    await ask('GET', `/explain?interface=${NAME}&method=sayHello`, 404);
    await ask('GET', '/explain?method=sayHello', 400);
    for (const target of ['/publications', '/subscriptions', '/status', '/healthz', '/readyz', '/metrics', '/config', '/openapi.json', '/', '/page/style.css']) await ask('GET', target, 200);
    await ask('GET', '/page/none.css', 404);
    await agent.publish(SERVICE.service);
    for (const target of ['/stopping', '/ready']) {
      await ask('POST', `${target}?wait=10s`, 200, SERVICE);
      assert.equal((await agent.post(`${target}?wait=10s`, '')).status, 200);
    }
    for (const target of ['/drain', '/drain', '/undrain', '/undrain']) await ask('POST', `${target}?wait=10s`, 200);
    await ask('POST', '/drain?wait=soon', 400);
    // The list of providers comes from the registry in its own time.
    await agent.publish(SERVICE.service);
    await agent.subscribe(SERVICE.service, 2);
    await ask('GET', `/services/${NAME}`, 200);
    await ask('GET', `/explain?interface=${NAME}&method=sayHello&version=1.0.0&group=blue&attachment.env=gray&argument.0=x`, 200);
    const all = Object.entries(DOCUMENT.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
    assert.deepEqual([...seen].sort(), all.sort());
  });
});

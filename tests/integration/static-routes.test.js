'use strict';
// Static routes as an operator handles them: the check of a file, the API, and a file that changes while the agent runs. All or nothing, always.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');

// A virtual host with a canary of `weight`; with 90 for the rest, 10 is right.
const virtualHost = (name, weight = 10) => ({
  name,
  domains: [`com.example.${name}`],
  routes: [{ name: 'canary', weighted_clusters: [{ name: 'v2', weight }, { name: 'v1', weight: 90 }] }],
  clusters: [{ name: 'v1', subset: { release: 'v1' } }, { name: 'v2', hosts: [{ address: '127.0.0.1:1', weight: 128 }] }],
});
const WRONG_SUM = /weighted_clusters: weights sum to 99, expected 100/;

// JSON is YAML, too.
const configOf = (...hosts) => `routes: ${JSON.stringify(hosts, null, 1)}\n`;

scenario('Static routes', ({ stage, before, it }) => {
  let agent;
  let file;
  const write = (text) => fs.writeFileSync(file, text);
  async function names() {
    const { body } = await agent.get('/routes');
    return body.routes.map(({ name, origin }) => `${name} of the ${origin}`);
  }
  const put = (name, body) => agent.send('PUT', `/routes/${name}`, typeof body === 'string' ? body : JSON.stringify(body));
  const refusals = () => agent.logLines(/the old routes stay in force/).length;

  before(async () => {
    file = path.join(stage.folder(), 'skiff.yaml');
    write(configOf(virtualHost('first')));
    agent = await startAgent(stage, { flags: ['--config', file] });
  });

  it('are checked with line and field', async () => {
    const wrong = path.join(stage.folder(), 'wrong.yaml');
    fs.writeFileSync(wrong, configOf(virtualHost('first', 9)));
    const { code, stdout } = await run(BINARY, ['check', '--config', wrong]);
    assert.equal(code, 1);
    assert.match(stdout, WRONG_SUM);
    assert.match(stdout, /wrong\.yaml:\d+: routes\[0\]\.routes\[0\]/);
    assert.equal((await run(BINARY, ['check', '--config', file])).code, 0);
  });

  it('of the file are in force from the start', async () => {
    assert.deepEqual(await names(), ['first of the file']);
    assert.equal((await agent.get('/routes/first')).body.file, file);
  });

  it('are put, shown and deleted', async () => {
    assert.equal((await put('api', virtualHost('api'))).body.state, 'created');
    assert.equal((await put('api', virtualHost('api'))).body.state, 'unchanged');
    assert.deepEqual((await agent.get('/routes/api')).body.route, virtualHost('api'));
    assert.equal((await agent.send('DELETE', '/routes/api')).status, 200);
    assert.equal((await agent.send('DELETE', '/routes/api')).status, 404);
  });

  it('that are wrong are refused, and the old ones stay', async () => {
    await put('api', virtualHost('api'));
    const { status, body } = await put('api', virtualHost('api', 9));
    assert.equal(status, 400);
    assert.match(body.err_msg, WRONG_SUM);
    assert.deepEqual((await agent.get('/routes/api')).body.route, virtualHost('api'));
    assert.match((await put('first', virtualHost('first'))).body.err_msg, /skiff\.yaml/);
    assert.equal((await agent.send('DELETE', '/routes/first')).status, 400);
    assert.match((await put('other', { ...virtualHost('other'), domains: ['com.example.first'] })).body.err_msg, /first and other are both/);
    await agent.send('DELETE', '/routes/api');
  });

  it('of a file that changes are taken over by themselves', async () => {
    write(configOf(virtualHost('first'), virtualHost('second')));
    await eventually(async () => (await names()).length === 2, 'the second route is in force');
  });

  it('of a file that is wrong are refused as a whole, and said so once', async () => {
    const before_ = refusals();
    write(configOf(virtualHost('third'), virtualHost('first', 9)));
    await eventually(async () => refusals() > before_, 'the refusal is logged');
    assert.equal(agent.logLines(WRONG_SUM).length, 1);
    assert.deepEqual(await names(), ['first of the file', 'second of the file']);
  });

  it('are taken over at SIGHUP, which names what needs a restart', async () => {
    write(`workers: 3\nhold_time: 2s\n${configOf(virtualHost('fourth'))}`);
    agent.running.child.kill('SIGHUP');
    await eventually(async () => (await names()).join() === 'fourth of the file', 'the fourth route is in force');
    await eventually(async () => agent.logLines(/hold_time has changed: needs a restart/).length > 0, 'the log names hold_time');
  });

  it('of the API are there after a restart', async () => {
    await put('api', virtualHost('api'));
    await agent.stop('SIGKILL');
    agent = await startAgent(stage, { name: 'successor', flags: ['--config', file], stateDir: agent.stateDir });
    assert.deepEqual(await names(), ['api of the api', 'fourth of the file']);
  });
});

scenario('Static routes without any registry', ({ stage, before, it }) => {
  const SERVICE = 'com.example.StaticService';
  const providers = {};
  let agent;
  let consumer;

  before(async () => {
    for (const name of ['stable', 'canary']) providers[name] = await RawProvider.start(stage, (call) => call.value(name));
    agent = await startAgent(stage, {});
    consumer = await RawConsumer.connect(stage, agent.outbound);
    const route = {
      domains: ['com.example.*'],
      clusters: Object.entries(providers).map(([name, { port }]) => ({ name, hosts: [{ address: `127.0.0.1:${port}`, weight: 1 }] })),
      routes: [
        { match: { attachments: [{ name: 'user', exact: 'vip' }] }, cluster: 'canary' },
        { match: { method: { prefix: 'get' } }, cluster: 'stable', timeout: '200ms' },
      ],
    };
    const { status, text } = await agent.send('PUT', '/routes/static', JSON.stringify(route));
    assert.equal(status, 200, text);
  });

  const call = (spec) => consumer.call({ service: SERVICE, ...spec });

  it('send calls to the hosts of their clusters', async () => {
    assert.equal((await call({ method: 'getIt' })).value, 'stable');
    assert.equal((await call({ method: 'getIt', attachments: { user: 'vip' } })).value, 'canary');
    assert.equal((await consumer.call({ service: 'com.example.another.Service', method: 'getIt' })).value, 'stable');
  });

  it('refuse what no entry matches, with a reason', async () => {
    const { status, message } = await call({ method: 'putIt' });
    assert.equal(status, 80);
    assert.match(message, /static route static, no entry matches/);
  });

  it('give the call the timeout of their entry, whatever it asks for', async () => {
    providers.stable.rule = () => {};
    const { status, message } = await call({ method: 'getSlow', attachments: { timeout: '5000' } });
    assert.equal(status, 31);
    assert.match(message, /within 200 ms/);
    providers.stable.rule = (one) => one.value('stable');
  });

  it('end with the route', async () => {
    const { status } = await agent.send('DELETE', '/routes/static');
    assert.equal(status, 200);
    assert.equal((await call({ method: 'getIt' })).status, 60);
  });
});

scenario('A request that fails', ({ stage, before, it }) => {
  const SERVICE = 'com.example.FailingService';
  let agent;
  let provider;

  before(async () => {
    provider = await RawProvider.start(stage, () => {});
    agent = await startAgent(stage, {});
    await agent.send('PUT', '/routes/failing', JSON.stringify({
      domains: [SERVICE],
      clusters: [{ name: 'silent', hosts: [{ address: `127.0.0.1:${provider.port}` }] }, { name: 'gone', hosts: [{ address: '127.0.0.1:1' }] }],
      routes: [{ name: 'all', cluster: 'silent', timeout: '50ms' }],
    }));
  });

  it('is logged with the rules that it was routed by', async () => {
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await consumer.call({ service: SERVICE, method: 'find' })).status, 31);
    const line = /a request fails with status 31 \(.*\): com\.example\.FailingService\.find: no answer from 127\.0\.0\.1:\d+ within 50 ms; rules: left 1 of 2 providers by static route failing, entry all: .*; cluster=failover loadbalance=random/;
    await eventually(async () => agent.logLines(line).length === 1, 'the log says how it was routed');
  });
});

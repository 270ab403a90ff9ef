'use strict';
// Filters as consumers and providers see them, and that they change while calls run.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');

const SERVICE = 'com.example.FilteredService';

scenario('Filters', ({ stage, before, it }) => {
  let agent;
  let provider;
  let shadow;
  let consumer;
  let file;

  const write = (filters) => fs.writeFileSync(file, `filters: ${JSON.stringify(filters, null, 1)}\n`);
  const call = (spec) => consumer.call({ service: SERVICE, method: 'hi', args: ['x'], ...spec });
  const put = (filters) => agent.send('PUT', '/routes/filtered', JSON.stringify({
    domains: [SERVICE],
    routes: [{ cluster: 'real' }],
    clusters: [
      { name: 'real', hosts: [{ address: `127.0.0.1:${provider.port}` }] },
      { name: 'shadow', hosts: [{ address: `127.0.0.1:${shadow.port}` }] },
    ],
    filters,
  }));

  before(async () => {
    file = path.join(stage.folder(), 'skiff.yaml');
    write([]);
    provider = await RawProvider.start(stage);
    shadow = await RawProvider.start(stage, (one) => one.value('shadow'));
    agent = await startAgent(stage, { flags: ['--config', file] });
    consumer = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await put([])).status, 200);
  });

  it('of the file are for all services, and come and go with it', async () => {
    write([{ name: 'broken', match: { method: 'hi' }, fault: { abort: { status: 70, message: 'on purpose' } } }]);
    await eventually(async () => (await call()).status === 70, 'the fault is in force');
    assert.match((await call()).message, /refused by filter broken: on purpose/);
    assert.equal((await call({ method: 'bye' })).status, 20);
    write([]);
    await eventually(async () => (await call()).status === 20, 'the fault is gone');
  });

  it('that are wrong are refused by check, by the API and at a reload', async () => {
    const wrong = [{ name: 'wrong', fault: { abort: { percent: 101 } } }];
    const WHY = /percent: came '101', expected a percentage from 0 to 100/;
    const other = path.join(stage.folder(), 'wrong.yaml');
    fs.writeFileSync(other, `filters: ${JSON.stringify(wrong)}\n`);
    const { code, stdout } = await run(BINARY, ['check', '--config', other]);
    assert.equal(code, 1);
    assert.match(stdout, WHY);
    const { status, body } = await put(wrong);
    assert.equal(status, 400);
    assert.match(body.err_msg, WHY);
    write(wrong);
    await eventually(async () => agent.logLines(WHY).length > 0, 'the reload is refused');
    assert.equal((await call()).status, 20);
    write([]);
  });

  it('are shown as they were put, and explained', async () => {
    const filter = { name: 'slow', match: { method: 'hi' }, fault: { delay: { time: '20ms', percent: '50' } } };
    assert.equal((await put([filter])).status, 200);
    assert.deepEqual((await agent.get('/routes/filtered')).body.route.filters, [filter]);
    const { body } = await agent.get(`/explain?interface=${SERVICE}&method=hi`);
    assert.deepEqual(body.filters, ['filter slow (fault): delays 50 % by 20ms']);
  });

  it('tell providers who calls, and what is left of the time', async () => {
    await put([{ name: 'who', identity: {} }, { name: 'left', deadline: {} }]);
    await call({ attachments: { 'remote.application': 'shop', timeout: '5000', 'skiff.agent': 'forged' } });
    const { attachments } = provider.calls.at(-1);
    assert.equal(attachments['skiff.caller.application'], 'shop');
    assert.match(attachments['skiff.caller.address'], /^127\.0\.0\.1:\d+$/);
    assert.equal(attachments['skiff.agent'], os.hostname());
    assert.ok(Number(attachments.timeout) > 0 && Number(attachments.timeout) <= 5000, attachments.timeout);
  });

  it('strip attachments before the request leaves', async () => {
    await put([{ name: 'strip', attachments: { set: { 'dubbo.tag': 'gray' }, remove: ['secret'] } }]);
    const { status, value } = await call({ attachments: { secret: 'xyzzy-42', kept: 'yes' } });
    assert.deepEqual([status, value], [20, 'x']);
    const { attachments, frame } = provider.calls.at(-1);
    assert.equal(attachments.kept, 'yes');
    assert.equal(attachments['dubbo.tag'], 'gray');
    assert.ok(!frame.body.includes('xyzzy-42'), 'the bytes are gone');
  });

  it('limit callers apart', async () => {
    await put([{ name: 'limit', concurrency_limit: { requests: 1, by: ['caller'] } }]);
    const pending = [];
    provider.rule = (one) => pending.push(one);
    const first = call({ attachments: { 'remote.application': 'a' } });
    await eventually(async () => pending.length === 1, 'the first call is at the provider');
    const refused = await call({ attachments: { 'remote.application': 'a' } });
    assert.equal(refused.status, 100);
    assert.match(refused.message, /over the limit of 1 requests at a time for caller a/);
    const other = call({ attachments: { 'remote.application': 'b' } });
    await eventually(async () => pending.length === 2, 'the other caller has its own limit');
    for (const one of pending) one.value('done');
    assert.equal((await first).value, 'done');
    assert.equal((await other).value, 'done');
    provider.rule = (one) => one.value('x');
    assert.equal((await call({ attachments: { 'remote.application': 'a' } })).value, 'x');
  });

  it('send copies whose answers nobody gets', async () => {
    await put([{ name: 'copy', mirror: { cluster: 'shadow' } }]);
    const values = await Promise.all(Array.from({ length: 50 }, () => call()));
    assert.ok(values.every(({ value }) => value === 'x'));
    await eventually(async () => shadow.calls.length === 50, 'every call was copied');
    assert.equal(shadow.calls[0].method, 'hi');
  });

  it('write what is over to the log', async () => {
    await put([{ name: 'log', access_log: {} }, { name: 'broken', match: { method: 'bad' }, fault: { abort: {} } }]);
    await call();
    await call({ method: 'bad' });
    const ok = new RegExp(`access time=\\S+Z service=${SERVICE} group=- version=\\S+ method=hi caller=127\\.0\\.0\\.1:\\d+ application=- provider=127\\.0\\.0\\.1:${provider.port} outcome=ok status=20 attempts=1 total=\\d+us upstream=\\d+us`);
    await eventually(async () => agent.logLines(ok).length === 1, 'the answered call is logged');
    await eventually(async () => agent.logLines(/method=bad .* status=80 .* error=".*refused by filter broken/).length === 1, 'the refused call is logged');
  });

  it('change while calls run, and lose none', async () => {
    let running = true;
    const calls = Array.from({ length: 8 }, async () => {
      const own = await RawConsumer.connect(stage, agent.outbound);
      let count = 0;
      while (running) {
        const { status } = await own.call({ service: SERVICE, method: 'hi', args: ['x'] });
        assert.equal(status, 20);
        count++;
      }
      return count;
    });
    for (let i = 0; i < 40; i++) {
      const filters = [{ name: 'limit', concurrency_limit: { requests: 1000 + i } }, { name: 'slow', fault: { delay: { time: '1ms', percent: String(i) } } }];
      assert.equal((await put(i % 2 === 0 ? filters : [])).status, 200);
    }
    running = false;
    const counts = await Promise.all(calls);
    assert.ok(counts.every((count) => count > 0), counts.join());
    await eventually(async () => /^skiff_outbound_filtered 0$/m.test((await agent.get('/metrics')).text), 'nothing is left of them');
  });
});

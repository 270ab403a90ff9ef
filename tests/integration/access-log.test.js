'use strict';
// The access log as an operator reads it, and trace contexts on their way.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');

const SERVICE = 'com.example.LoggedService';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CONTEXT = {
  traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
  tracestate: 'vendor=a,other=b',
  b3: '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1',
  'X-B3-TraceId': '80f198ee56343ba864fe8b2a57d3eff7',
  'X-B3-SpanId': 'e457b5a2e4d86bd1',
  'x-b3-sampled': '1',
};

scenario('The access log', ({ stage, before, it }) => {
  let agent;
  let provider;
  let consumer;
  let file;

  const lines = (from = file) => (fs.existsSync(from) ? fs.readFileSync(from, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []);
  const call = (spec) => consumer.call({ service: SERVICE, method: 'hi', args: ['x'], ...spec });

  before(async () => {
    file = path.join(stage.folder(), 'access.log');
    provider = await RawProvider.start(stage);
    agent = await startAgent(stage, {
      environment: { SKIFF_ACCESS_LOG: 'full', SKIFF_ACCESS_LOG_FORMAT: 'json', SKIFF_ACCESS_LOG_TARGET: file },
    });
    await agent.send('POST', '/publish', JSON.stringify({ service: { interface: SERVICE, port: provider.port } }));
    consumer = await RawConsumer.connect(stage, agent.outbound);
  });

  it('has a line for a call, with its trace, which is passed on untouched', async () => {
    assert.equal((await call({ attachments: CONTEXT })).value, 'x');
    for (const [key, value] of Object.entries(CONTEXT)) assert.equal(provider.calls.at(-1).attachments[key], value, key);
    await eventually(async () => lines().length === 1, 'the line is written');
    const [line] = lines();
    assert.equal(line.service, SERVICE);
    assert.equal(line.method, 'hi');
    assert.equal(line.outcome, 'ok');
    assert.equal(line.status, 20);
    assert.equal(line.attempts, 1);
    assert.equal(line.trace, TRACE);
    assert.ok(Date.now() - Date.parse(line.time) < 60_000, line.time);
    const rest = line.total_us - line.upstream_us - line.own_us;
    assert.ok(rest === 0 || rest === 1, JSON.stringify(line)); // each is cut to whole microseconds
  });

  it('has one for a call of a service that nobody provides', async () => {
    await call({ service: 'com.example.Nowhere' });
    await eventually(async () => lines().some((line) => line.service === 'com.example.Nowhere' && line.outcome === 'not_found'), 'the line is written');
  });

  it('goes on in a new file when the old one was renamed, and counts its lines', async () => {
    const moved = `${file}.1`;
    const before = lines().length;
    fs.renameSync(file, moved);
    await eventually(async () => fs.existsSync(file), 'a new file is there');
    await call();
    await eventually(async () => lines().length === 1, 'the line is in the new file');
    assert.equal(lines(moved).length, before);
    const metrics = await agent.metrics();
    assert.equal(metrics.skiff_access_log_lines_total, before + 1);
    assert.equal(metrics.skiff_access_log_dropped_total, 0);
  });
});

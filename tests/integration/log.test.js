'use strict';
// The agent's own log, as a terminal, a collector and the journal get it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');

// A key that is none is warned of by its name.
const HOSTILE = { 'SKIFF_"}\n{"level":"critical\u0001\u2028': 'x' };
const TEXT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (debug|info|warning|error|critical) /;
const JOURNAL = /^<[2-7]>(debug|info|warning|error|critical) /;

scenario('The log', ({ stage, it }) => {
  // The program, started as systemd does whose journal reads its standard error: JOURNAL_STREAM says which stream that is.
  const inJournal = () => {
    const script = path.join(stage.folder(), 'skiff');
    fs.writeFileSync(script, `#!/bin/sh\nJOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)\nexport JOURNAL_STREAM\nexec ${BINARY} "$@"\n`, { mode: 0o755 });
    return script;
  };
  const linesOf = async (agent) => {
    await eventually(() => agent.logLines(/ready"?}?$/).length > 0, 'its lines are there');
    assert.equal((await agent.stop()).code, 0);
    return agent.log.split('\n').filter((line) => line !== '');
  };
  const assertAll = (lines, pattern) => assert.deepEqual(lines.filter((line) => !pattern.test(line)), []);

  it('is text with its time, also where another stream is the journal', async () => {
    const agent = await startAgent(stage, { environment: { JOURNAL_STREAM: '1:1' } });
    assertAll(await linesOf(agent), TEXT);
  });

  it('as JSON is one object a line, whatever is in it', async () => {
    const agent = await startAgent(stage, { flags: ['--log-format', 'json'], environment: HOSTILE });
    const lines = (await linesOf(agent)).map((line) => JSON.parse(line));
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['time', 'level', 'message']);
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    assert.deepEqual(lines.filter(({ level }) => level === 'critical'), []);
    const [hostile] = lines.filter(({ level, message }) => level === 'warning' && message.includes('{"level":"critical'));
    assert.match(hostile.message, /no key of the configuration/);
  });

  it('in the journal has priorities and no time, after an upgrade too', async () => {
    const agent = await startAgent(stage, { binary: inJournal(), environment: { SKIFF_WOKERS: '2' } });
    const { status, body } = await agent.upgrade();
    assert.equal(status, 200, body.err_msg);
    const lines = await linesOf(agent);
    assertAll(lines, JOURNAL);
    assert.ok(lines.some((line) => line.startsWith('<6>info taking over, as process')));
    assert.equal(lines.filter((line) => line.startsWith('<4>warning environment variable SKIFF_WOKERS: ')).length, 2, 'of both processes');
  });

  it('in the journal as JSON has priorities, which the journal takes off', async () => {
    const agent = await startAgent(stage, { binary: inJournal(), flags: ['--log-format', 'json'] });
    const lines = await linesOf(agent);
    assertAll(lines, /^<[2-7]>\{.*\}$/);
    for (const line of lines) assert.ok(JSON.parse(line.slice('<6>'.length)).message);
  });

  it('tells of a start that fails in the same way', async () => {
    const file = path.join(stage.folder(), 'skiff.yaml');
    fs.writeFileSync(file, 'log_format: json\nworkers: many\n');
    const wrong = await run(BINARY, ['run', '--config', file]);
    assert.equal(wrong.code, 2);
    const { level, message } = JSON.parse(wrong.stderr);
    assert.equal(level, 'error');
    assert.match(message, /skiff\.yaml:2: workers: came "many"/);

    const running = await startAgent(stage);
    const args = ['run', '--api', '127.0.0.1:0', '--outbound', `127.0.0.1:${running.outbound}`, '--inbound', '127.0.0.1:0', '--state-dir', stage.folder()];
    const taken = await run(BINARY, [...args, '--log-format', 'json']);
    assert.equal(taken.code, 1);
    const last = taken.stderr.trim().split('\n').map((line) => JSON.parse(line)).pop();
    assert.match(last.message, new RegExp(`${running.outbound}`));
    const plain = await run(inJournal(), args);
    assert.equal(plain.code, 1);
    assertAll(plain.stderr.trim().split('\n'), JOURNAL);
  });

  it('has a format that is text or json', async () => {
    const wrong = await run(BINARY, ['run', '--log-format', 'xml']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^skiff: --log-format: came "xml", expected text or json\n$/);
  });
});

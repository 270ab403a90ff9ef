'use strict';
// The command line as somebody meets it who does not know it yet, or mistypes it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const { scenario } = require('./lib/stage');

scenario('The command line', ({ stage, it }) => {
  const skiff = (...args) => run(BINARY, args);
  const skiffWith = (environment, ...args) => run(BINARY, args, { env: { ...process.env, ...environment } });

  it('prints its version either way', async () => {
    const command = await skiff('version');
    assert.equal(command.code, 0);
    assert.match(command.stdout, /^skiff +\d+\.\d+\.\d+\n/);
    assert.deepEqual(await skiff('--version'), command);
  });

  it('lists the commands where none is given, and where one asks for help', async () => {
    const nothing = await skiff();
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /Subcommands:\n +run /);
    assert.deepEqual(await skiff('help'), { ...nothing, code: 0, stdout: nothing.stderr, stderr: '' });
    assert.deepEqual(await skiff('help', 'publish'), await skiff('publish', '--help'));
  });

  it('says which command was probably meant', async () => {
    const wrong = await skiff('stauts');
    assert.equal(wrong.code, 2);
    assert.equal(wrong.stderr, 'skiff: no command "stauts"; did you mean "status"?\n`skiff --help` lists all\n');
    assert.match((await skiff('etcd')).stderr, /^skiff: no command "etcd"\n/);
  });

  it('shows the range and the default of each flag', async () => {
    const { stdout } = await skiff('run', '--help');
    assert.match(stdout, /--hold-time TIME +how long .*; 0 to 1m \(default 1s\)/);
    assert.ok(!stdout.includes('`'), stdout);
  });

  it('finds a mistyped key and a mistyped variable', async () => {
    const file = path.join(stage.folder(), 'skiff.yaml');
    fs.writeFileSync(file, 'hold_tme: 2s\n');
    const checked = await skiffWith({ SKIFF_WOKERS: '2' }, 'check', '--config', file);
    assert.equal(checked.code, 1);
    assert.equal(checked.stdout, `${file}:1: unknown key "hold_tme"; did you mean "hold_time"?\n`
      + 'environment variable SKIFF_WOKERS: no key of the configuration; did you mean SKIFF_WORKERS?\n');
  });

  it('starts the agent all the same where a variable is no key, and logs it', async () => {
    const agent = await startAgent(stage, { environment: { SKIFF_WOKERS: '2', SKIFF_SERVICE_HOST: '10.0.0.1' } });
    assert.deepEqual(agent.logLines(/environment variable/).map((line) => line.replace(/^\S+ /, '')),
      ['warning environment variable SKIFF_WOKERS: no key of the configuration; did you mean SKIFF_WORKERS?']);
    assert.equal((await agent.stop()).code, 0);
  });
});

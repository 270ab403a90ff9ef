'use strict';
// `skiff top`: once for programs, live for people at a terminal.

const assert = require('node:assert/strict');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { Calls } = require('./lib/scenes');
const { freePort, scenario } = require('./lib/stage');
const { eventually, within } = require('./lib/wait');

const NAME = 'com.example.Shown';
const RESTORED = '\x1b[?25h\x1b[?1049l'; // the cursor, and the screen of before

scenario('skiff top', ({ stage, before, it }) => {
  let agent;
  let api;
  before(async () => {
    agent = await startAgent(stage);
    api = `127.0.0.1:${agent.api}`;
    const provider = await RawProvider.start(stage);
    await agent.publish({ interface: NAME, port: provider.port });
    await agent.subscribe({ interface: NAME }, 1);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const calls = new Calls(stage);
    calls.add(50, () => consumer.call({ service: NAME, args: ['x'] }));
    calls.add(5, () => consumer.call({ service: 'com.example.Nobody', args: ['x'] }));
  });

  // On a terminal of its own; what is typed goes to `child.stdin`. No shell stays, which would have a Ctrl-C for itself.
  const startLive = () => stage.start('top', 'script', ['-qefc', `exec ${BINARY} top --api ${api}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });

  const showsTraffic = (live) => eventually(async () => new RegExp(`[1-9][0-9.]* +0 .* ${NAME}`).test(live.log), `top shows traffic: ${live.log}`);

  it('--once prints one second of traffic and ends', async () => {
    for (const flags of [['--once'], []]) { // without a terminal it is the same
      const { stdout } = await eventually(async () => {
        const ended = await run(BINARY, ['top', '--api', api, ...flags]);
        assert.equal(ended.code, 0, ended.stderr);
        return new RegExp(`[1-9][0-9.]* .* ${NAME}`).test(ended.stdout) && ended;
      }, 'a second with traffic');
      assert.match(stdout, /^skiff \S+, ready; \d services?, \d.* requests\/s, .* failed\/s, \d+ in flight\n/);
      assert.match(stdout, /REQ\/S +FAIL\/S +P50 +P99 +REQUESTS {2}SERVICE\n/);
      assert.ok(!stdout.includes('\x1b'), 'no control sequences');
    }
  });

  it('says where no agent answers', async () => {
    const { code, stdout, stderr } = await run(BINARY, ['top', '--once', '--api', `127.0.0.1:${await freePort()}`]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /no answer from the agent at .*cannot connect; is it running/);
  });

  for (const [what, key] of [['q', 'q'], ['Ctrl-C', '\x03']]) {
    it(`on a terminal goes on until ${what}, and leaves the terminal as it was`, async () => {
      const live = startLive();
      await showsTraffic(live);
      live.child.stdin.write(key);
      const { code } = await within(live.ended, 'top ends');
      assert.equal(code, 0);
      assert.ok(live.log.trimEnd().endsWith(RESTORED), JSON.stringify(live.log.slice(-100)));
    });
  }

  it('on a terminal goes on when the agent is restarted', async () => {
    const live = startLive();
    await showsTraffic(live);
    await agent.stop();
    await eventually(async () => live.log.includes('NO ANSWER: '), 'top says that the agent is gone');
    agent = await startAgent(stage, { ports: { api: agent.api, outbound: agent.outbound, inbound: agent.inbound }, stateDir: agent.stateDir });
    live.log = '';
    await eventually(async () => /ready; .* requests\/s/.test(live.log) && !live.log.includes('NO ANSWER'), 'top shows the new agent');
    live.child.stdin.write('q');
    assert.equal((await within(live.ended, 'top ends')).code, 0);
  });
});

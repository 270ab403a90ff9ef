'use strict';
// What an agent writes into a ZooKeeper that others use, too, and that does not let everybody do everything.

const assert = require('node:assert/strict');
const { ACL, Id, Permission } = require('node-zookeeper-client');
const { startAgent } = require('./lib/agent');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const MOST_PUBLICATIONS = 1_000; // as the next two: registry/limits.h
const WRITES_AT_ONCE = 100;
const WRITES_A_SECOND = 500;

const publication = async (agent, name) => (await agent.get('/publications')).body.publications.find((one) => one.interface === name);
const isRegistered = (agent, name) => eventually(async () => {
  const { state, reason } = await publication(agent, name);
  return state === 'registered' && !reason;
}, `${name} is registered`);
const reasonMatches = (agent, name, pattern) => eventually(async () => pattern.test((await publication(agent, name)).reason), `the reason of ${name} is ${pattern}`);
const triesOf = (agent, name) => agent.logLines(new RegExp(`cannot (create|create the folders of|look at) /[^ ]*${name}/providers/`)).length;
const providersOf = (name, root = '/dubbo') => `${root}/${name}/providers`;

scenario('Nodes in a shared ZooKeeper', ({ stage, before, it }) => {
  let zookeeper;
  let provider;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    provider = await RawProvider.start(stage);
  });

  const publishAnyway = async (agent, name) => assert.ok((await agent.post('/publish?wait=0', { service: { interface: name, port: provider.port } })).status < 300);

  it('of another session, with our path: is deleted, and created again as ours', async () => {
    const name = 'com.example.Ghost';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port });
    const [node] = await zookeeper.nodes(name);
    const path = `${providersOf(name)}/${node}`;
    await agent.stop();
    // The next process writes the same URL again; somebody has it meanwhile.
    await zookeeper.ask('create', path, Buffer.from('ghost'), 1 /* ephemeral */);
    const ghost = await zookeeper.creation(path);
    const { api, outbound, inbound, stateDir } = agent;
    const successor = await startAgent(stage, { name: 'successor', registry: zookeeper.registry, ports: { api, outbound, inbound }, stateDir });
    await isRegistered(successor, name);
    assert.notEqual((await zookeeper.creation(path)).owner, ghost.owner);
    assert.deepEqual(await zookeeper.nodes(name), [node]);
    await successor.stop();
    assert.deepEqual(await zookeeper.nodes(name), []);
  });

  it('that change: the new one is there before the old one goes', async () => {
    const name = 'com.example.Changed';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port });
    const seen = [];
    const look = () => zookeeper.ask('getChildren', providersOf(name), () => { look().catch(() => {}); }).then((nodes) => seen.push(nodes));
    await look();
    for (let weight = 101; weight <= 120; weight += 1) await agent.publish({ interface: name, port: provider.port, parameters: { weight: String(weight) } });
    await eventually(() => seen.at(-1).length === 1 && seen.at(-1)[0].includes('weight%3D120'), 'only the last one is left');
    assert.ok(seen.length > 20, `${seen.length} changes seen`);
    assert.deepEqual(seen.filter((nodes) => nodes.length === 0), [], 'there was a moment without any node of ours');
    await agent.stop();
  });

  it('of 1,000 publications: all are there, at a bounded pace, and again after their session was lost', async () => {
    // A session that ends while its connection stands is noticed after two thirds of its timeout.
    const agent = await startAgent(stage, { registry: `${zookeeper.registry}?session=3000` });
    const service = (i) => ({ interface: 'com.example.Many', port: 1 + i, check: { type: 'none' } });
    const atOnceSeconds = (count) => (count - WRITES_AT_ONCE) / WRITES_A_SECOND;
    const registered = async () => (await agent.metrics())['skiff_publications{state="registered"}'];
    const allRegistered = () => eventually(async () => await registered() === MOST_PUBLICATIONS, 'all are registered');
    let waitingMost = 0;

    let began = Date.now();
    await Promise.all(Array.from({ length: MOST_PUBLICATIONS }, (_, i) => agent.post('/publish?wait=0', { service: service(i) })));
    await allRegistered();
    const publishedIn = (Date.now() - began) / 1_000;
    assert.ok(publishedIn > atOnceSeconds(MOST_PUBLICATIONS) - 0.2, `published in ${publishedIn} s`);
    assert.equal((await zookeeper.nodes('com.example.Many')).length, MOST_PUBLICATIONS);

    began = Date.now();
    await zookeeper.expire(stage, agent.stateDir);
    await eventually(async () => {
      const metrics = await agent.metrics();
      waitingMost = Math.max(waitingMost, metrics.skiff_registry_waiting_writes);
      return metrics.skiff_registry_lost_sessions_total === 1;
    }, 'the session is lost');
    await eventually(async () => {
      waitingMost = Math.max(waitingMost, (await agent.metrics()).skiff_registry_waiting_writes);
      return (await zookeeper.nodes('com.example.Many')).length === MOST_PUBLICATIONS;
    }, 'all are there again');
    await allRegistered();
    const againIn = (Date.now() - began) / 1_000;
    assert.ok(againIn > atOnceSeconds(MOST_PUBLICATIONS) - 0.2, `written again in ${againIn} s`);
    assert.ok(waitingMost > 100, `at most ${waitingMost} waited`);
    assert.equal((await agent.metrics()).skiff_registry_waiting_writes, 0);
    await agent.stop();
    await eventually(async () => (await zookeeper.nodes('com.example.Many')).length === 0, 'they end with the agent');
  });

  it('under a folder that is for reading only: the reason is shown, others are unaffected, and it heals', async () => {
    const [name, other] = ['com.example.ReadOnly', 'com.example.Writable'];
    await zookeeper.ask('mkdirp', providersOf(name));
    // For reading only, but that the test may change it again.
    await zookeeper.ask('setACL', providersOf(name), [new ACL(Permission.READ | Permission.ADMIN, Id.ANYONE_ID_UNSAFE)], -1);
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await publishAnyway(agent, name);
    await reasonMatches(agent, name, /cannot create .*com\.example\.ReadOnly.*not authenticated \(the access list/);
    await agent.publish({ interface: other, port: provider.port });
    assert.equal((await publication(agent, other)).state, 'registered');
    assert.equal((await publication(agent, name)).state, 'pending');
    await zookeeper.ask('setACL', providersOf(name), ACL.OPEN_ACL_UNSAFE, -1);
    await isRegistered(agent, name);
    assert.equal((await zookeeper.nodes(name)).length, 1);
    assert.ok(triesOf(agent, name) < 20, `${triesOf(agent, name)} tries`);

    // What cannot be deleted is shown, too.
    await zookeeper.ask('setACL', providersOf(name), [new ACL(Permission.READ | Permission.ADMIN, Id.ANYONE_ID_UNSAFE)], -1);
    const { body } = await agent.post('/unpublish?wait=0', { service: { interface: name, port: provider.port } });
    const leaving = async () => (await agent.get('/publications')).body.leaving;
    const [left] = await eventually(async () => {
      const now = await leaving();
      return /cannot delete/.test(now[0]?.reason) && now;
    }, 'the reason is shown');
    assert.equal(left.url, body.url);
    assert.match(left.reason, /cannot delete .*com\.example\.ReadOnly.*not authenticated/);
    await zookeeper.ask('setACL', providersOf(name), ACL.OPEN_ACL_UNSAFE, -1);
    await eventually(async () => (await leaving()).length === 0, 'it is gone');
    assert.deepEqual(await zookeeper.nodes(name), []);
    await agent.stop();
  });

  it('belong to the user of the address, as those of Dubbo do; who is another one learns why it may not write', async () => {
    const name = 'com.example.Secured';
    const withUser = (user) => `zookeeper://${user}@${zookeeper.address}?group=secured`;
    const agent = await startAgent(stage, { registry: withUser('skiff:s3cret') });
    await agent.publish({ interface: name, port: provider.port });
    const owner = zookeeper.anotherClient();
    await owner.connect(stage, 'skiff:s3cret');
    const [node] = await owner.ask('getChildren', providersOf(name, '/secured'));
    for (const path of ['/secured', `/secured/${name}`, providersOf(name, '/secured'), `${providersOf(name, '/secured')}/${node}`]) {
      const access = await owner.ask('getACL', path);
      assert.equal(access.length, 1, path);
      assert.equal(access[0].id.scheme, 'digest', path);
      assert.match(access[0].id.id, /^skiff:/, path);
      assert.equal(access[0].permission, Permission.ALL, path);
    }
    await owner.disconnect();

    for (const registry of [withUser('skiff:wrong'), `${zookeeper.registry}?group=secured`]) {
      const stranger = await startAgent(stage, { name: 'stranger', registry });
      await publishAnyway(stranger, name);
      await stranger.post('/subscribe?wait=0', { service: { interface: name } });
      await reasonMatches(stranger, name, /not authenticated .*needs a user and password that may/);
      assert.ok(!JSON.stringify((await stranger.get('/publications')).body).includes('wrong'), 'the password is shown');
      await eventually(async () => {
        const [{ state, reason }] = (await stranger.get('/subscriptions')).body.subscriptions;
        return state === 'pending' && /cannot read .*com\.example\.Secured\/providers.*not authenticated/.test(reason);
      }, 'it learns why it may not read');
      assert.equal((await stranger.get('/readyz')).status, 200);
      // Attempts become rare: the fifth comes 0.8 s or more after the first.
      const began = Date.now();
      await eventually(() => triesOf(stranger, name) >= 5, 'it tries again');
      assert.ok(Date.now() - began > 500, `five attempts within ${Date.now() - began} ms`);
      await stranger.stop();
    }
    await agent.stop();
  });

  it('may live under a chroot, which is made where it is missing', async () => {
    await zookeeper.ask('mkdirp', '/existing/tree');
    for (const chroot of ['/existing/tree', '/missing/tree']) {
      const name = 'com.example.Rooted';
      const agent = await startAgent(stage, { registry: `${zookeeper.registry}${chroot}` });
      await agent.publish({ interface: name, port: provider.port });
      await agent.subscribe({ interface: name });
      assert.equal((await zookeeper.ask('getChildren', providersOf(name, `${chroot}/dubbo`))).length, 1);
      assert.deepEqual(await zookeeper.nodes(name), []);
      await agent.stop();
      assert.deepEqual(await zookeeper.ask('getChildren', providersOf(name, `${chroot}/dubbo`)), []);
    }
  });
});

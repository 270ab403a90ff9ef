'use strict';
// The checkers of scripts/chaos find what they are there for.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Availability } = require('../chaos/availability');
const { CallBook } = require('../chaos/call-book');
const { differences } = require('../chaos/comparison');
const { SERVICES } = require('../chaos/plan');
const { RegistryWatch } = require('../chaos/registry-watch');
const { describeProblems, isGood, tellMissingSteps, verdict } = require('../chaos/report');
const { Timeline, complement, covers, intersect, shrink, unite } = require('../chaos/spans');

const copy = (value) => JSON.parse(JSON.stringify(value));

describe('The comparison', () => {
  const node = { address: '127.0.0.1:1', interface: 'com.example.A', version: '', revision: '3', owner: '0a' };
  const wanted = {
    providers: [node, { ...node, address: '127.0.0.1:2' }],
    consumers: [{ application: 'chaos-A', interface: 'com.example.A', version: '', owner: '0b' }],
    publications: [{ agent: 'B', interface: 'com.example.A', version: '', port: 7, state: 'registered' }],
    subscriptions: [{ agent: 'A', interface: 'com.example.A', version: '', state: 'subscribed' }],
    lists: [{ agent: 'A', interface: 'com.example.A', addresses: ['127.0.0.1:1', '127.0.0.1:2'] }],
  };
  const afterChange = (change) => {
    const seen = copy(wanted);
    change(seen);
    return differences(wanted, seen);
  };

  it('finds nothing where all is as it should be, in whatever order', () => {
    assert.deepEqual(afterChange((seen) => seen.providers.reverse()), []);
  });

  it('notices a missing node', () => {
    assert.deepEqual(afterChange((seen) => seen.providers.pop()), ['providers: 127.0.0.1:2 com.example.A : missing']);
  });

  it('notices a doubled node', () => {
    assert.deepEqual(afterChange((seen) => seen.providers.push({ ...node, revision: '2' })), ['providers: 127.0.0.1:1 com.example.A : 2 times']);
  });

  it('notices a node that should not be there', () => {
    assert.deepEqual(afterChange((seen) => seen.consumers.push({ application: 'chaos-C', interface: 'com.example.A', version: '', owner: '0c' })),
      ['consumers: chaos-C com.example.A : should not be there']);
  });

  it('notices a node with old parameters, or of an old session', () => {
    const what = 'providers: 127.0.0.1:1 com.example.A ';
    assert.deepEqual(afterChange((seen) => { seen.providers[0].revision = '2'; }), [`${what}: revision is "2" instead of "3"`]);
    assert.deepEqual(afterChange((seen) => { seen.providers[0].owner = '09'; }), [`${what}: owner is "09" instead of "0a"`]);
  });

  it('notices what an agent says otherwise', () => {
    assert.equal(afterChange((seen) => { seen.publications[0].state = 'pending'; }).length, 1);
    assert.equal(afterChange((seen) => { seen.subscriptions.pop(); }).length, 1);
    assert.equal(afterChange((seen) => { seen.lists[0].addresses.pop(); }).length, 1);
  });
});

function since0() {
  const timeline = new Timeline();
  timeline.set(true, 0);
  return timeline;
}

// A world of agents A and B, one service, and a provider of it at B; all of it well since time 0, and found so at `comparedAt`.
class SmallWorld {
  constructor({ comparedAt = [1_000] } = {}) {
    this.time = 0;
    this.service = { name: 'Demo', interface: 'com.example.Demo' };
    const agent = (name) => ({ name, running: since0(), killed: new Timeline(), linked: since0(), reachable: since0() });
    this.consumer = agent('A');
    const provider = { name: 'b1', address: '127.0.0.1:99', up: since0(), killed: new Timeline() };
    this.place = {
      address: '127.0.0.1:1', service: this.service, agent: agent('B'), provider, publication: { wanted: since0() }, listed: since0() };
    this.registry = { up: since0() };
    this.comparedAt = comparedAt;
    this.book = new CallBook({ now: () => this.time, text: (ms) => `${ms} ms` });
  }

  // A second provider, plain and well.
  addPlace() {
    const provider = { name: 'plain', address: '127.0.0.1:2', up: since0(), killed: new Timeline() };
    this.second = { address: provider.address, service: this.service, provider, listed: since0() };
  }

  // A call in that time; `answer` as frames.readResponse() has it, or the name of another outcome.
  call([start, end], answer) {
    this.time = start;
    const call = this.book.begin(this.consumer, this.service);
    this.time = end;
    if (typeof answer === 'string') this.book[answer](call);
    else if (answer) this.book.answered(call, answer);
    return call;
  }

  fails(span, status, message) { return this.call(span, { status, message }); }

  judge() {
    const places = [this.place, ...(this.second ? [this.second] : [])];
    return this.book.judge(new Availability(places, this), () => places.map(({ provider }) => provider.name));
  }

  get verdictIsGood() {
    const { counts, problems } = this.judge();
    return isGood({ counts, problems, failures: [], steps: { made: 1, wanted: Infinity } });
  }
}

const NOT_FOUND = [60, 'no provider of com.example.Demo was found'];
const LOST_AT_B = [80, 'com.example.Demo.echo: the connection to 127.0.0.1:1 was lost before its answer came: closed'];
const REFUSED_AT_B = [80, 'skiff: the provider at 127.0.0.1:99 cannot be connected to: connection refused'];

describe('The judgement of calls', () => {
  it('lets an own answer pass', () => {
    const world = new SmallWorld();
    world.call([2_000, 2_001], { status: 20, value: 'b1 com.example.Demo 1' });
    assert.ok(world.verdictIsGood);
    assert.equal(world.judge().counts.covered, 1);
  });

  it('notices a failed call, in the verdict, too', () => {
    const world = new SmallWorld();
    world.fails([2_000, 2_001], ...NOT_FOUND);
    const { counts, problems } = world.judge();
    assert.equal(counts.failed, 1);
    assert.ok(!world.verdictIsGood);
    assert.match(verdict({ counts, steps: 1, comparisons: 1, failures: 0 }), /1 calls, 0 answered, 0 failed with a reason, 1 without/);
    const history = [{ name: 'kill the provider', from: 1_500, to: 1_501 }];
    assert.match(describeProblems(problems, history, { text: String })[0], /call 1 of Demo through A.*status 60: no provider.*\n.*kill the provider/);
  });

  it('notices answers that belong to another call, another service, or came from somebody else', () => {
    const world = new SmallWorld();
    for (const value of ['b1 com.example.Demo 77', 'b1 com.example.Other 2', 'c1 com.example.Demo 3', null]) {
      world.call([2_000, 2_001], { status: 20, value });
    }
    world.call([2_000, 2_001], { status: 20, exception: 'no' });
    assert.equal(world.judge().counts.wrong, 5);
  });

  it('notices what is not answered, and what is answered twice', () => {
    const world = new SmallWorld();
    world.call([2_000, 2_001]);
    world.call([2_000, 9_500], 'overdue');
    world.book.unasked(world.consumer, { id: 5n, status: 20 });
    const { counts } = world.judge();
    assert.deepEqual([counts.lost, counts.doubled], [2, 1]);
    assert.ok(!world.verdictIsGood);
  });

  it('is not content with fewer steps than it was to make', () => {
    const good = { counts: { covered: 1 }, problems: [], failures: [] };
    const few = { made: 199, wanted: 200 };
    assert.ok(!isGood({ ...good, steps: few }));
    assert.match(tellMissingSteps(few)[0], /199 steps were made, not 200/);
    for (const steps of [{ made: 200, wanted: 200 }, { made: 3, wanted: Infinity }]) {
      assert.ok(isGood({ ...good, steps }));
      assert.deepEqual(tellMissingSteps(steps), []);
    }
  });

  it('is not content with calls that nobody had to answer', () => {
    const world = new SmallWorld({ comparedAt: [] });
    world.fails([2_000, 2_001], ...NOT_FOUND);
    assert.equal(world.judge().counts.excused, 1);
    assert.ok(!world.verdictIsGood);
  });

  const isExcused = (world, span, failure) => {
    world.fails(span, ...failure);
    const { counts } = world.judge();
    assert.equal(counts.excused + counts.failed, 1);
    return counts.excused === 1;
  };

  it('excuses what was sent to an agent that was killed, not what was never sent', () => {
    const killed = (failure) => {
      const world = new SmallWorld();
      world.addPlace();
      world.place.agent.running.set(false, 2_500);
      world.place.agent.killed.set(true, 2_500);
      return isExcused(world, [2_400, 2_600], failure);
    };
    assert.ok(killed(LOST_AT_B));
    assert.ok(!killed(NOT_FOUND));
    assert.ok(!killed([80, 'no provider of com.example.Demo can be reached; tried: 127.0.0.1:1 (connection refused)']));
    assert.ok(!killed([80, 'the connection to 127.0.0.1:2 was lost before its answer came']), 'the other one was well');
  });

  it('does not excuse what an orderly stop or an unpublication costs', () => {
    for (const timeline of [({ agent }) => agent.running, ({ publication }) => publication.wanted]) {
      const world = new SmallWorld();
      world.addPlace();
      timeline(world.place).set(false, 2_500);
      assert.ok(!isExcused(world, [2_400, 2_600], LOST_AT_B));
    }
  });

  it('excuses calls for a dead provider until its agent must have found out', () => {
    const atTime = (start) => {
      const world = new SmallWorld();
      world.addPlace();
      world.place.provider.up.set(false, 2_500);
      world.place.provider.killed.set(true, 2_500);
      return isExcused(world, [start, start + 1], REFUSED_AT_B);
    };
    assert.ok(atTime(3_000));
    assert.ok(!atTime(60_000));
  });

  it('excuses what an agent got wrong that had taken the service back, only where it was restarted since', () => {
    for (const wasRestarted of [true, false]) {
      const world = new SmallWorld();
      world.addPlace();
      world.place.publication.wanted.set(false, 2_500);
      if (wasRestarted) {
        world.place.agent.running.set(false, 2_600);
        world.place.agent.running.set(true, 2_700);
      }
      assert.equal(isExcused(world, [3_000, 3_001], [70, 'provider b2 has no com.example.Demo']), wasRestarted);
    }
  });

  it('excuses everything where the own agent was down', () => {
    const world = new SmallWorld();
    world.consumer.running.set(false, 2_500);
    world.call([2_400, 2_600], 'cutOff');
    assert.equal(world.judge().counts.excused, 1);
  });
});

describe('The model of availability', () => {
  const isCovered = (world, from, to) => {
    world.call([from, to], { status: 20, value: 'b1 com.example.Demo 1' });
    return world.judge().counts.covered === 1;
  };

  it('counts a provider that was found listed, and is listed still', () => {
    assert.ok(isCovered(new SmallWorld(), 2_500, 2_600));
    const world = new SmallWorld();
    world.place.listed.set(false, 2_550);
    assert.ok(!isCovered(world, 2_500, 2_600));
  });

  it('gives a consumer time to learn of a provider', () => {
    const world = () => new SmallWorld({ comparedAt: [] });
    assert.ok(!isCovered(world(), 2_000, 2_100));
    assert.ok(isCovered(world(), 20_000, 20_100));
  });

  it('holds agents to what they know while the registry is away, and over their own restarts', () => {
    const world = new SmallWorld();
    world.registry.up.set(false, 2_000);
    world.consumer.linked.set(false, 2_000);
    world.consumer.running.set(false, 3_500);
    world.consumer.running.set(true, 4_000);
    assert.ok(isCovered(world, 4_500, 4_600));
  });

  it('expects nothing of who is cut off, stopped, dead or taken back', () => {
    const timelines = [
      ({ agent }) => agent.reachable, ({ agent }) => agent.running, ({ provider }) => provider.up, ({ publication }) => publication.wanted];
    for (const timeline of timelines) {
      const world = new SmallWorld();
      timeline(world.place).set(false, 2_000);
      assert.ok(!isCovered(world, 1_900, 2_100));
    }
  });

  it('expects an answer where one provider goes after another came', () => {
    const world = new SmallWorld();
    world.addPlace();
    world.place.agent.reachable.set(false, 2_000);
    assert.ok(isCovered(world, 1_900, 2_100));
  });
});

describe('What was listed', () => {
  const interfaceOf = { interface: SERVICES[0].interface };
  const node = (address) => encodeURIComponent(`dubbo://${address}/${interfaceOf.interface}?side=provider`);

  function watchAt(times) {
    const places = ['127.0.0.1:1', '127.0.0.1:2'].map((address) => ({ address, service: interfaceOf }));
    const clock = { now: () => times.shift() };
    const watch = new RegistryWatch(undefined, clock, places);
    return {
      take: (addresses) => watch.take(interfaceOf.interface, addresses.map(node)), end: () => watch.end(),
      spans: () => places.map(({ listed }) => listed.spans) };
  }

  it('is over a second before it was seen to go', () => {
    const { take, spans } = watchAt([0, 0, 20_000, 20_000]);
    take(['127.0.0.1:1', '127.0.0.1:2']);
    take(['127.0.0.1:2']);
    assert.deepEqual(spans(), [[[0, 19_000]], [[0, Infinity]]]);
  });

  it('lasts where the whole list goes and comes back soon, and ends where it comes back late or not at all', () => {
    const afterGap = (backAt) => {
      const { take, end, spans } = watchAt([0, 0, 20_000, backAt, backAt]);
      take(['127.0.0.1:1', '127.0.0.1:2']);
      take([]);
      if (backAt) take(['127.0.0.1:1']);
      end();
      return spans()[0];
    };
    assert.deepEqual(afterGap(21_000), [[0, Infinity]]);
    assert.deepEqual(afterGap(30_000), [[0, 23_000], [30_000, Infinity]]);
    assert.deepEqual(afterGap(undefined), [[0, 23_000]]);
  });
});

describe('Sets of time', () => {
  it('are united, intersected, shrunk and inverted', () => {
    const one = [[0, 10], [20, 30]];
    const other = [[5, 25], [28, Infinity]];
    assert.deepEqual(intersect(one, other), [[5, 10], [20, 25], [28, 30]]);
    assert.deepEqual(unite(one, other), [[0, Infinity]]);
    assert.deepEqual(shrink(one, 2, 8), []);
    assert.deepEqual(shrink(one, 2, 3), [[2, 7], [22, 27]]);
    assert.deepEqual(complement(one), [[-Infinity, 0], [10, 20], [30, Infinity]]);
    assert.ok(covers(one, 0, 9) && !covers(one, 0, 10) && !covers(one, 9, 21));
  });

  it('are recorded as things begin and end', () => {
    const timeline = new Timeline();
    timeline.set(true, 1);
    timeline.set(true, 2);
    timeline.set(false, 5);
    timeline.set(true, 7);
    timeline.set(false, 6); // it was over before it was seen
    assert.deepEqual(timeline.spans, [[1, 5]]);
  });
});

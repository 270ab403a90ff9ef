'use strict';
// Counts what somebody who watches nodes is told.

const { eventually } = require('./wait');

class NodeWatcher {
  // `looks`: [method, node], the client's calls that set watches. `makeMarker` creates a child of a watched folder and returns its path.
  static async start(zookeeper, looks, makeMarker) {
    const watcher = Object.assign(new NodeWatcher(), { zookeeper, makeMarker, events: 0 });
    for (const [method, node] of looks) await watcher.look(method, node);
    return watcher;
  }

  look(method, node) {
    return this.zookeeper.ask(method, node, () => {
      this.events += 1;
      this.look(method, node).catch(() => {});
    });
  }

  // All events until now. A change of our own is the last of them: watchers are told in order.
  async take() {
    const before = this.events;
    const marker = await this.makeMarker();
    await eventually(() => this.events > before, 'the watcher is told of a change');
    await this.zookeeper.remove(marker);
    await eventually(() => this.events > before + 1, 'the watcher is told of another change');
    const events = this.events - 2;
    this.events = 0;
    return events;
  }
}

module.exports = { NodeWatcher };

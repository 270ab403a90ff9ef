'use strict';
// A proxy before a ZooKeeper server that swallows the events of watches when it is told to: what a client sees whose
// server has lost its watches.

const net = require('node:net');

const EVENT_OF_WATCH = -1; // the xid of such a message
const LENGTH = 4;

// Hands on whole messages of the server: a length, then that many bytes, which begin with the xid (but for the first
// one, which answers the connect request).
function onMessages(socket, deliver) {
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= LENGTH && rest.length >= LENGTH + rest.readUInt32BE(0)) {
      const size = LENGTH + rest.readUInt32BE(0);
      deliver(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  });
}

class DeafProxy {
  static async start(stage, server) {
    const proxy = new DeafProxy();
    proxy.server = net.createServer((client) => proxy.onClient(client, server));
    await new Promise((resolve, reject) => { proxy.server.once('error', reject); proxy.server.listen(0, '127.0.0.1', resolve); });
    proxy.registry = `zookeeper://127.0.0.1:${proxy.server.address().port}`;
    stage.atEnd(() => proxy.stop());
    return proxy;
  }

  constructor() { Object.assign(this, { isDeaf: false, swallowed: 0, sockets: new Set() }); }

  onClient(client, { host, port }) {
    const upstream = net.connect(port, host);
    for (const [socket, other] of [[client, upstream], [upstream, client]]) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => { this.sockets.delete(socket); other.destroy(); });
    }
    client.on('data', (data) => upstream.write(data));
    let isFirst = true;
    onMessages(upstream, (message) => {
      const isEvent = !isFirst && message.readInt32BE(LENGTH) === EVENT_OF_WATCH;
      isFirst = false;
      if (isEvent && this.isDeaf) this.swallowed++;
      else client.write(message);
    });
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => { this.server.close(() => resolve()); });
  }
}

module.exports = { DeafProxy };

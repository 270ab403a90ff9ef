'use strict';
// A piece of network: what connects to its port is connected to another. Stopped (SIGSTOP), it is a black hole.
//   node gate-process.js '{"port": 12345, "to": 23456}'
// { id, command } by message, each confirmed: "open"; "close" takes no new connections; "cut" ends the others, too. With "to" a ZooKeeper, it
// tells the session that each connection got.

const net = require('node:net');

// A full backlog is what makes a black hole of a stopped process; it must not take many connections to fill it, but all connections of two
// agents at once must not do it.
const BACKLOG = 16;
// Of ZooKeeper's first message: a length, the version, the timeout, the session id, and the password with its length.
const SESSION_AT = 12;
const SESSION_END = 24 + 16;

const { port, to, tellsSessions } = JSON.parse(process.argv[2]);
const sockets = new Set();

function tellSession(upstream) {
  let first = Buffer.alloc(0);
  const onData = (data) => {
    first = Buffer.concat([first, data]);
    if (first.length < SESSION_END) return;
    upstream.off('data', onData);
    const id = first.toString('hex', SESSION_AT, SESSION_AT + 8);
    if (/[1-9a-f]/.test(id)) process.send({ session: { id, password: first.toString('hex', SESSION_END - 16, SESSION_END) } });
  };
  upstream.on('data', onData);
}

const server = net.createServer({ noDelay: true }, (client) => {
  const upstream = net.connect({ port: to, host: '127.0.0.1', noDelay: true });
  for (const [socket, other] of [[client, upstream], [upstream, client]]) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => { sockets.delete(socket); other.destroy(); });
  }
  if (tellsSessions) tellSession(upstream);
  client.pipe(upstream);
  upstream.pipe(client);
});

const COMMANDS = {
  open: () => new Promise((resolve, reject) => {
    if (server.listening) { resolve(); return; }
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: BACKLOG }, resolve);
  }),
  close: () => { if (server.listening) server.close(); },
  cut: () => {
    if (server.listening) server.close();
    for (const socket of sockets) socket.destroy();
  },
};

process.on('message', async ({ id, command }) => {
  await COMMANDS[command]();
  process.send({ id });
});
process.on('disconnect', () => process.exit());

'use strict';
// The descriptors of a process by what they are for, from /proc.

const fs = require('node:fs');

const LISTEN = '0A';

const portOf = (address) => parseInt(address.split(':')[1], 16);

// inode -> { state, local, remote }
function tcpSockets(pid) {
  const sockets = new Map();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of fs.readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      sockets.set(inode, { state, local: portOf(local), remote: portOf(remote) });
    }
  }
  return sockets;
}

function otherSockets(pid) {
  const unix = fs.readFileSync(`/proc/${pid}/net/unix`, 'utf8').trim().split('\n').slice(1).map((line) => [line.trim().split(/\s+/)[6], 'unix socket']);
  const udp = ['udp', 'udp6'].flatMap((table) => fs.readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => [line.trim().split(/\s+/)[9], 'udp socket']);
  return new Map([...unix, ...udp]);
}

// `names`: port -> what a connection from or to it is.
function socketKind(inode, tcp, others, names) {
  const socket = tcp.get(inode);
  if (!socket) return others.get(inode) || 'socket without a connection';
  if (socket.state === LISTEN) return 'listener';
  return names.get(socket.local) || names.get(socket.remote) || `connection ${socket.local} -> ${socket.remote}`;
}

// Each agent of the test has a state folder of its own, and holds it open.
const fileKind = (target) => target.replace(/:\[\d+\]$/, '').replace(/skiff-test-\w+/, 'state folder');

function targetsOf(pid) {
  return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

// { kind: count }
function descriptorsOf(pid, names) {
  const targets = targetsOf(pid);
  const tcp = tcpSockets(pid);
  const others = otherSockets(pid);
  const counts = {};
  for (const target of targets) {
    const socket = /^socket:\[(\d+)\]$/.exec(target);
    const kind = socket ? socketKind(socket[1], tcp, others, names) : fileKind(target);
    counts[kind] = (counts[kind] || 0) + 1;
  }
  return counts;
}

module.exports = { descriptorsOf };

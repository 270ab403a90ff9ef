'use strict';
// Memory of connections on which nothing happens: what the process holds of its own with so many open, each after one call.

const fs = require('node:fs');
const net = require('node:net');
const frames = require('../integration/lib/frames');
const { eventually, within } = require('../integration/lib/wait');

const AT_ONCE = 100; // connections that are opened side by side
const STEADY_READINGS = 60; // some 15 ms apart
const SPARE_DESCRIPTORS = 2000;
const ARGUMENT = 'x'.repeat(128);

// Anonymous memory, so neither the program's text nor what the kernel keeps for sockets; in bytes.
function ownMemory(pid) {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

// What it is once it stays the same: buffers are given back a little after their last use.
async function steadyMemory(pids) {
  const readings = [];
  await eventually(() => {
    readings.push(pids.reduce((sum, pid) => sum + ownMemory(pid), 0));
    return readings.length >= STEADY_READINGS && new Set(readings.slice(-STEADY_READINGS)).size === 1;
  }, 'the memory stays the same');
  return readings.at(-1);
}

function openAfterOneCall(port, frame) {
  return within(new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => socket.write(frame));
    socket.once('data', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  }), 'the answer to a connection\'s only call');
}

// A proxy needs a second descriptor for each connection, the agent does not.
function roomFor(target) {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1]);
  return Math.floor((limit - SPARE_DESCRIPTORS) / (target.name === '20881' ? 1 : 2));
}

// { connections, bytes }, the bytes for each connection.
async function measureIdle(target, wanted) {
  const connections = Math.min(wanted, roomFor(target));
  const frame = frames.request({ id: 1n, service: target.service || 'com.example.Echo', args: [ARGUMENT] });
  const sockets = [await openAfterOneCall(target.port, frame)];
  const before = await steadyMemory(target.pids);
  while (sockets.length <= connections) {
    const count = Math.min(AT_ONCE, connections + 1 - sockets.length);
    sockets.push(...await Promise.all(Array.from({ length: count }, () => openAfterOneCall(target.port, frame))));
  }
  const after = await steadyMemory(target.pids);
  for (const socket of sockets) socket.destroy();
  return { connections, bytes: (after - before) / connections };
}

module.exports = { measureIdle };

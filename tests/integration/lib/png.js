'use strict';
// Makes PNGs small that a browser made: with a palette of their 256 most frequent colours, which is enough for a page without photographs.

const zlib = require('node:zlib');

const SIGNATURE = 8; // bytes
const COLORS = 256;
const CRC = Int32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n; });

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeInt32BE(~body.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1), body.length + 4);
  return frame;
}

function nearer(left, up, corner) {
  const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

// { width, height, size, pixels }; `size` bytes for each pixel, red, green and blue first.
function decode(png) {
  const data = [];
  let header;
  for (let at = SIGNATURE; at < png.length;) {
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IHDR') header = body;
    if (type === 'IDAT') data.push(body);
    at += 12 + body.length;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const size = { 2: 3, 6: 4 }[header[9]];
  const line = width * size;
  const raw = zlib.inflateSync(Buffer.concat(data));
  const pixels = Buffer.alloc(height * line);
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (line + 1)];
    for (let i = 0; i < line; i++) {
      const at = row * line + i;
      const left = i >= size ? pixels[at - size] : 0;
      const up = row > 0 ? pixels[at - line] : 0;
      const corner = row > 0 && i >= size ? pixels[at - line - size] : 0;
      const guess = [0, left, up, (left + up) >> 1, nearer(left, up, corner)][filter];
      pixels[at] = raw[at + row + 1] + guess;
    }
  }
  return { width, height, size, pixels };
}

function nearest(color, palette) {
  const distance = (other) => [16, 8, 0].reduce((sum, shift) => sum + (((color >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0);
  let best = 0;
  for (let i = 1; i < palette.length; i++) if (distance(palette[i]) < distance(palette[best])) best = i;
  return best;
}

function small(png) {
  const { width, height, size, pixels } = decode(png);
  const counts = new Map();
  for (let i = 0; i < pixels.length; i += size) {
    const color = pixels.readUIntBE(i, 3);
    counts.set(color, (counts.get(color) || 0) + 1);
  }
  const colors = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  const palette = colors.slice(0, COLORS);
  const indexes = new Map(colors.map((color, i) => [color, i < COLORS ? i : nearest(color, palette)]));
  const raw = Buffer.alloc(height * (width + 1)); // no filter: it begins each line with 0
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) raw[row * (width + 1) + 1 + x] = indexes.get(pixels.readUIntBE((row * width + x) * size, 3));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // bits, palette
  const table = Buffer.alloc(palette.length * 3);
  palette.forEach((color, i) => table.writeUIntBE(color, i * 3, 3));
  return Buffer.concat([png.subarray(0, SIGNATURE), chunk('IHDR', header), chunk('PLTE', table), chunk('IDAT', zlib.deflateSync(raw, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

module.exports = { small };

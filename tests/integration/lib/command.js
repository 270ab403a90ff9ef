'use strict';
// A program that runs to its end.

const { execFile } = require('node:child_process');

const LIMIT_MS = 30_000;

// Never rejects: { code, stdout, stderr }.
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024, ...options }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code ?? -1 : 0, stdout, stderr });
    });
  });
}

// { status, body } of a curl call; `body` parsed.
async function curl(...args) {
  const { code, stdout, stderr } = await run('curl', ['-sS', '-m', '20', '-w', '\n%{http_code}', ...args]);
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: JSON.parse(stdout.slice(0, end)) };
}

module.exports = { curl, run };

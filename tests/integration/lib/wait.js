'use strict';
// Waiting, without sleeping to be right: every wait is for a condition, and every wait has a deadline.

const DEADLINE_MS = 20_000;
const POLL_MS = 15;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function describe(value) {
  if (value instanceof Error) return value.message;
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item));
}

// The promise's value, or an error that says what did not come.
function within(promise, what, deadlineMs = DEADLINE_MS) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

// Waits until `condition` returns something truthy, and returns that. What it throws means "not yet".
async function eventually(condition, what, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    let last;
    try {
      last = await within(condition(), 'an answer to the question', Math.max(end - Date.now(), POLL_MS));
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}; last: ${describe(last)}`);
    await pause(POLL_MS);
  }
}

module.exports = { DEADLINE_MS, eventually, pause, within };

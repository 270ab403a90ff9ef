'use strict';
// The peer's side of lib/processes.js: answers each command with what `handlers[command]` returns.

module.exports = function serve(handlers) {
  process.on('message', async ({ id, command, args }) => {
    try {
      const value = await handlers[command](...args);
      process.send({ id, value: value === undefined ? null : value });
    } catch (error) {
      process.send({ id, error: String((error && error.message) || error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
};

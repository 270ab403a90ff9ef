'use strict';
// One call from wherever this runs, by hand. Config: { host, port, service }. Prints what happened as JSON.

const { RawConsumer } = require('../lib/raw-consumer');

const { host, port, service } = JSON.parse(process.argv[2]);

RawConsumer.connect({ atEnd() {} }, port, host)
  .then((consumer) => consumer.call({ service }).finally(() => consumer.close()))
  .then(({ status, value, message }) => ({ status, value, message }), (error) => ({ error: error.message }))
  .then((result) => console.log(JSON.stringify(result)));

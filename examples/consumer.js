'use strict';
// A stock Dubbo consumer that knows one address only, that of the agent on its own machine.
//   node consumer.js [calls] [port]

const { DirectlyDubbo, java } = require('apache-dubbo-js');

const calls = Number(process.argv[2] || 1);
const port = Number(process.argv[3] || 20881);
const dubbo = DirectlyDubbo.from({ dubboAddress: `127.0.0.1:${port}`, dubboVersion: '2.0.2', dubboInvokeTimeout: 5 });
const demo = dubbo.proxyService({
  dubboInterface: 'com.example.DemoService',
  version: '1.0.0',
  timeout: 5000,
  methods: { sayHello: (name) => [java.String(name)] },
});

(async () => {
  for (let i = 1; i <= calls; i++) {
    const { res, err } = await demo.sayHello(`call ${i}`);
    if (err) throw err;
    console.log(res);
  }
  process.exit(0);
})().catch((error) => {
  console.error(`the call failed: ${error.message}`);
  process.exit(1);
});

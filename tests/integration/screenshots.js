'use strict';
// Makes the pictures of the status page in docs/images; scripts/screenshots calls it.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { Browser } = require('./lib/browser');
const { small } = require('./lib/png');
const { STOCK, manyServices, threeServices } = require('./lib/scenes');
const { Stage } = require('./lib/stage');
const { eventually } = require('./lib/wait');

const FOLDER = path.join(__dirname, '../../docs/images');
const CHART_FULL_MS = 125_000; // until the charts are full
const DESKTOP = { width: 1180, height: 900 };
const PHONE = { width: 375, height: 812, isPhone: true, scale: 2 };

function explainStock(name) {
  const form = document.getElementById('explain-form');
  Object.assign(form.elements.interface, { value: name });
  Object.assign(form.elements.method, { value: 'reserve' });
  Object.assign(form.elements.attachments, { value: 'dubbo.tag=gray' });
  form.requestSubmit();
}

// Where this machine keeps what is for a while is of no interest.
function removeLines(text) { for (const line of document.querySelectorAll('#event-rows li')) if (line.innerText.includes(text)) line.remove(); }

// [file, page, height in CSS pixels, what is done in the page first]
async function openPages(stage) {
  const browser = await Browser.start(stage);
  const empty = await startAgent(stage, { name: 'empty' });
  const { agent: three } = await threeServices(stage);
  const { agent: many } = await manyServices(stage, 200);
  const open = (agent, options) => browser.open(`${agent.url}/`, options);
  return [
    ['status-0', await open(empty, DESKTOP), 1160],
    ['status-3', await open(three, DESKTOP), 2420, explainStock, STOCK],
    ['status-200', await open(many, { ...DESKTOP, scheme: 'dark' }), 1300],
    ['status-phone', await open(three, PHONE), 812],
  ];
}

async function main() {
  const stage = new Stage();
  try {
    const pages = await openPages(stage);
    const until = Date.now() + CHART_FULL_MS;
    await eventually(async () => Date.now() > until, 'the charts are full', 2 * CHART_FULL_MS);
    for (const [name, page, height, prepare, ...args] of pages) {
      if (prepare) await page.evaluate(prepare, ...args);
      if (prepare) await page.shows('#explanation', /100\.0 %/);
      await page.evaluate(removeLines, os.tmpdir());
      const { width, whole } = await page.evaluate(() => ({ width: document.documentElement.clientWidth, whole: document.documentElement.scrollHeight }));
      const png = small(await page.screenshot({ clip: { x: 0, y: 0, width, height: Math.min(height, whole), scale: 1 } }));
      fs.writeFileSync(path.join(FOLDER, `${name}.png`), png);
      console.log(`docs/images/${name}.png: ${width} x ${Math.min(height, whole)}, ${Math.ceil(png.length / 1024)} KiB`);
    }
  } finally {
    await stage.stopAll();
  }
}

main();

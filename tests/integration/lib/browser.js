'use strict';
// Chromium without a window, asked and told by the DevTools protocol over a pair of pipes.

const { eventually, within } = require('./wait');

// Starting a browser takes its time where other tests run beside it.
const LIMIT_MS = 60_000;
const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe', '--hide-scrollbars', '--mute-audio',
  // Nothing that a browser does for itself.
  '--no-first-run', '--no-default-browser-check', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
  '--disable-breakpad', '--disable-crash-reporter', '--disable-default-apps', '--disable-domain-reliability', '--disable-client-side-phishing-detection',
  '--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider', '--metrics-recording-only', '--password-store=basic', '--use-mock-keychain',
  '--no-proxy-server',
];

class Browser {
  // Ends with the stage.
  static async start(stage) {
    const home = stage.folder();
    const running = stage.start('chromium', process.env.SKIFF_CHROMIUM || 'chromium', [...FLAGS, `--user-data-dir=${home}/profile`], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: home, TMPDIR: home, XDG_CONFIG_HOME: `${home}/config`, XDG_CACHE_HOME: `${home}/cache`, XDG_RUNTIME_DIR: home, DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
    });
    const browser = new Browser(running);
    // It writes into its folder until it has ended.
    stage.atEnd(() => browser.close());
    await browser.send('Browser.getVersion');
    return browser;
  }

  constructor(running) {
    Object.assign(this, { running, nextId: 1, waiting: new Map(), pages: new Map(), rest: '' });
    const [, , , input, output] = running.child.stdio;
    Object.assign(this, { input });
    input.on('error', () => {}); // it has ended: `running.ended` says so
    output.setEncoding('utf8');
    output.on('data', (text) => this.onText(text));
    output.on('error', () => {});
    running.ended.then(() => {
      for (const { reject } of this.waiting.values()) reject(new Error(`chromium ended: ${running.log.slice(-500)}`));
    });
  }

  // Messages end with a zero byte.
  onText(text) {
    const parts = (this.rest + text).split('\0');
    this.rest = parts.pop();
    for (const part of parts) this.onMessage(JSON.parse(part));
  }

  onMessage({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      const page = this.pages.get(sessionId);
      if (page) page.onEvent(method, params);
      return;
    }
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (!waiting) return;
    if (error) waiting.reject(new Error(`${waiting.method}: ${error.message}`)); else waiting.resolve(result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.nextId++;
    const answer = new Promise((resolve, reject) => { this.waiting.set(id, { method, resolve, reject }); });
    this.input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(answer, `chromium's answer to ${method}`, LIMIT_MS);
  }

  // `width` and `height` in CSS pixels; `scheme`: light or dark.
  async open(url, { width = 1280, height = 900, scheme = 'light', isPhone = false, scale = 1 } = {}) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId);
    this.pages.set(sessionId, page);
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.send(`${domain}.enable`);
    await page.resize({ width, height, isPhone, scale });
    // As if it were the one in front: others may be opened after it.
    await page.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await page.send('Page.navigate', { url });
    return page;
  }

  async close() {
    if (!this.running.hasEnded) await this.send('Browser.close').catch(() => {});
    await within(this.running.ended, 'chromium ends').catch(() => this.running.kill('SIGKILL'));
  }
}

class Page {
  constructor(browser, sessionId) { Object.assign(this, { browser, sessionId, requests: [], problems: [] }); }

  send(method, params) { return this.browser.send(method, params, this.sessionId); }

  onEvent(method, params) {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
    if (method === 'Runtime.exceptionThrown') this.problems.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) this.problems.push(params.args.map(({ value, description }) => value ?? description).join(' '));
    if (method === 'Log.entryAdded' && params.entry.level !== 'verbose' && params.entry.level !== 'info') this.problems.push(`${params.entry.text} ${params.entry.url || ''}`);
  }

  resize({ width, height, isPhone = false, scale = 1 }) {
    return this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: isPhone });
  }

  // What `question(...args)` returns in the page; it sees nothing of this file.
  async evaluate(question, ...args) {
    const expression = `(${question})(...${JSON.stringify(args)})`;
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  // Waits until that is something truthy, and returns it.
  eventually(what, question, ...args) { return eventually(() => this.evaluate(question, ...args), `the page: ${what}`, LIMIT_MS); }

  // The text of the first element that fits, as it is seen.
  text(selector) { return this.evaluate((wanted) => document.querySelector(wanted)?.innerText ?? '', selector); }

  shows(selector, pattern) {
    return this.eventually(`${selector} shows ${pattern}`, (wanted, source) => {
      const found = [...document.querySelectorAll(wanted)].map((element) => element.innerText);
      return found.find((text) => new RegExp(source, 's').test(text));
    }, selector, pattern.source);
  }

  // A key as the keyboard sends it: a character, or the name of a key that writes none.
  async press(key) {
    const text = key.length === 1 ? key : { Enter: '\r' }[key];
    const code = { Enter: 13, Escape: 27, Tab: 9 }[key];
    await this.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', key, text, windowsVirtualKeyCode: code });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, windowsVirtualKeyCode: code });
  }

  type(text) { return this.send('Input.insertText', { text }); }

  // A PNG of what is seen, or of the page down to `height`.
  async screenshot({ clip } = {}) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: clip !== undefined, clip });
    return Buffer.from(data, 'base64');
  }
}

module.exports = { Browser };

// Takes pictures of the portal's pages and of two commands while the demo runs, into
// dist/screenshots or the folder of the argument: light, dark, 320 and 1280 pixels wide.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const named = process.argv[2];
const output = named === undefined ? join(root, 'dist/screenshots') : resolve(named);
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const WIDE = { width: 1280, height: 720 };
const NARROW = { width: 320, height: 640 };

/** How a page is looked at. */
const LOOKS = [
  { look: 'light-1280', viewport: WIDE, colorScheme: 'light' },
  { look: 'dark-1280', viewport: WIDE, colorScheme: 'dark' },
  { look: 'light-320', viewport: NARROW, colorScheme: 'light' },
  { look: 'dark-320', viewport: NARROW, colorScheme: 'dark' },
];

/** Milliseconds after which a page or a line of the demo is taken to be missing. */
const PATIENCE = 60_000;

/** Replaces the name of this host in the texts of the page. */
function withoutHostName(page) {
  return page.evaluate((host) => {
    const { document, NodeFilter } = globalThis;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const name = new RegExp(`\\b${host}\\b`, 'g');
    while (texts.nextNode())
      texts.currentNode.data = texts.currentNode.data.replace(name, 'ap.example.org');
  }, hostname());
}

/** Takes the open page, or the element `part` of it, in every look. */
async function take(page, name, part) {
  await withoutHostName(page);
  for (const { look, viewport, colorScheme } of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const path = join(output, `${name}-${look}.png`);
    await (part
      ? page.locator(part).screenshot({ path })
      : page.screenshot({ path, fullPage: true }));
  }
}

/** Starts the demo; resolves with its link and its credential directory. */
function startDemo() {
  const demo = spawn(process.execPath, [join(root, 'scripts/demo.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error('the demo has printed no link')), PATIENCE);
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${code}`)));
    demo.stdout.on('data', (more) => {
      text += more;
      const [, url] = /Please visit:\s+(\S+)/.exec(text) ?? [];
      const [, directory] = /Credential directory: (\S+)/.exec(text) ?? [];
      if (!url || !directory) return;
      clearTimeout(timer);
      resolve({ url, directory });
    });
  });
  return { demo, ready };
}

/** Signs in for the first token that waits. */
async function signIn(page, withPictures) {
  await page
    .getByRole('button', { name: /^Sign in to/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Store for' }).waitFor();
  if (withPictures) await take(page, 'portal-confirm');
  await page.getByRole('button', { name: 'Store for' }).click();
  await page.locator('li.token').first().waitFor();
}

/** Shows the output of a command as a terminal does, and takes it. */
async function takeCommand(page, args, configuration) {
  const program = join(root, 'packages/credmon/dist/bin/condor_credmon.cjs');
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { ...process.env, CONDOR_CONFIG: configuration },
  });
  const text = `$ condor_credmon ${args.join(' ')}\n${stdout}${stderr}`;
  const inner = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  // Away from the portal, whose policy forbids styles in a page.
  await page.goto('about:blank');
  await page.setContent(`<!doctype html><html lang="en"><title>terminal</title><style>
    :root { color-scheme: light dark }
    body { margin: 0; background: Canvas }
    pre { margin: 0; padding: 16px; width: fit-content; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.4 monospace }</style><pre>${inner}</pre></html>`);
  await take(page, args[0], 'pre');
}

// Files in a folder that somebody has named stay.
if (named === undefined) rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const { demo, ready } = startDemo();
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
});
try {
  const { url, directory } = await ready;
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(new URL('/', url).href);
  await take(page, 'portal-start');
  await page.goto(new URL(`/key/${'0'.repeat(64)}`, url).href);
  await take(page, 'portal-error');
  await page.goto(url);
  await take(page, 'portal-list');
  await signIn(page, true);
  await take(page, 'portal-half');
  await signIn(page, false);
  await take(page, 'portal-done');
  const configuration = join(dirname(directory), 'condor_config');
  await takeCommand(page, ['status'], configuration);
  await takeCommand(page, ['check'], configuration);
  console.log(`screenshots: ${output}`);
} finally {
  await browser.close();
  demo.removeAllListeners('exit');
  const ended = new Promise((resolve) => demo.once('exit', resolve));
  if (demo.exitCode === null && demo.kill('SIGINT')) await ended;
}

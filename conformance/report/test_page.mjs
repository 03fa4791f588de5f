// SPDX-License-Identifier: MIT
// The HTML report in headless Chromium: of a run on the reference, and of one on a hub that gets much wrong.
// BH_SUITE and BH_HUB are the programs, as paths from here; BH_CHROMIUM the browser; NODE_PATH has playwright-core.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(join(resolve(process.env.BH_MODULES), 'x.js'))('playwright-core');
const suite = resolve(process.env.BH_SUITE), hub = resolve(process.env.BH_HUB);
const places = '--endpoint {endpoint} --port {port} --state {state} --spool {spool} --group {group}';
const right = `${hub} serve ${places} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}`;
// Has no groups, crashes where the spool is asked for, and does not say what is wrong with a long path.
const wrong = `case {need} in *groups*) exit 89;; *spool*) kill -SEGV $$;; esac; [ $(expr length {endpoint}) -lt 100 ] || exit 1; exec ${right}`;
const cases = ['names/*', 'active/latest-claim-wins', 'limits/instances-up-to-256',
  'hung/a-stopped-hub-that-is-killed-is-followed', 'ingest/a-wrong-octet-closes-at-once'];
const killed = 'hung/a-stopped-hub-that-is-killed-is-followed', crashed = 'spool/a-new-hub-takes-the-queue-over',
  crashedAlike = 'spool/the-sequence-grows';

let directory, browser;
const pages = {};

async function makePage(name, command, more = []) {
  const path = join(directory, name + '.html');
  const child = spawn(suite, ['--html', path, '--hub', command, '--quiet', '--time-scale', '1', ...cases, ...more],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  pages[name] = path;
  return status;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridgehub-page-'));
  const statuses = await Promise.all([makePage('right', right), makePage('wrong', wrong, [crashed, crashedAlike])]);
  assert.deepEqual(statuses, [0, 1]);
  browser = await chromium.launch({ executablePath: process.env.BH_CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
});

after(async () => {
  await browser?.close();
  await rm(directory, { recursive: true, force: true });
});

/* Runs a test on a page, which must neither complain nor ask for anything but itself. */
async function on(path, run, { hash = '', ...options } = {}) {
  const context = await browser.newContext({ offline: true, ...options }), page = await context.newPage();
  page.setDefaultTimeout(20000);
  const complaints = [], url = pathToFileURL(path).href;
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => /^data:/.test(request.url()) || request.url().split('#')[0] === url || complaints.push(`asks for ${request.url()}`));
  await page.goto(url + hash);
  await run(page);
  assert.deepEqual(complaints, []);
  await context.close();
}

const shownCases = (page) => page.locator('.case:visible').evaluateAll((all) => all.map((one) => one.id));
const verdictsOf = (page) => page.locator('.case:visible > summary .verdict').evaluateAll((all) => [...new Set(all.map((one) => one.textContent))]);
const row = (page, what, kind) => page.locator(`svg .row[data-what="${what}"]${kind ? `[data-kind="${kind}"]` : ''}`);

test('says what came of the run', async () => {
  await on(pages.right, async (page) => {
    assert.match(await page.locator('#banner').textContent(), /^Conformant/);
    assert.ok(await page.locator('#attention').isHidden());
    assert.match(await page.title(), /^Conformant/);
    assert.match(await page.locator('.what').textContent(), /several Blender windows share one Quixel Bridge/);
  });
  await on(pages.wrong, async (page) => {
    assert.match(await page.locator('#banner').textContent(), /^Not conformant/);
    const attention = await page.locator('#attention li').allTextContents();
    assert.ok(attention.some((words) => words.includes(crashed) && words.includes('signal 11')), attention.join('\n'));
    assert.ok(!attention.some((words) => words.includes('UNIMPLEMENTED')));
    const crashes = attention.filter((words) => words.startsWith('CRASH'));
    assert.equal(crashes.length, 1, 'what failed alike is one row');
    assert.ok(crashes[0].includes(crashedAlike) && crashes[0].includes('expected the hub goes on'), crashes[0]);
  });
});

test('explains each verdict and each sign of the diagrams', () => on(pages.wrong, async (page) => {
  await page.locator('#legend summary').click();
  for (const verdict of ['PASS', 'FAIL', 'CRASH', 'TIMEOUT', 'NON_STRICT', 'INCONCLUSIVE', 'UNIMPLEMENTED', 'SKIP', 'BROKEN']) {
    assert.ok(await page.locator(`#verdicts dt .${verdict}`).isVisible(), verdict);
  }
  assert.equal(await page.locator('#key svg:visible').count(), await page.locator('#key li').count());
}));

test('filters by verdict', () => on(pages.wrong, async (page) => {
  const all = await page.locator('.case').count();
  await page.locator('[data-tag="CRASH"]').click();
  assert.deepEqual(await verdictsOf(page), ['CRASH']);
  assert.equal(await page.locator('[data-tag="CRASH"]').getAttribute('aria-pressed'), 'true');
  await page.locator('[data-tag="UNIMPLEMENTED"]').click();
  assert.deepEqual((await verdictsOf(page)).sort(), ['CRASH', 'UNIMPLEMENTED']);
  assert.match(await page.locator('#shown').textContent(), new RegExp(`of ${all} cases`));
  await page.locator('[data-tag=""]').click();
  assert.equal(await page.locator('#shown').textContent(), `${all} cases`);
  assert.equal((await shownCases(page)).length, 0); /* the sections are closed again */
}));

test('filters by text: of a name, of a requirement, of its sentence', () => on(pages.right, async (page) => {
  for (const [words, slug] of [['latest-claim', 'active/latest-claim-wins'], ['bh-limit-002', 'limits/instances-up-to-256'],
    ['spool directory mode 0700 spool-is', 'names/the-spool-is-the-users-alone']]) {
    await page.locator('#text').fill(words);
    assert.deepEqual(await shownCases(page), [slug]);
  }
  await page.locator('#text').fill('no such thing');
  assert.deepEqual(await shownCases(page), []);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#text').inputValue(), '');
}));

test('opens a case by mouse, and draws what happened', () => on(pages.right, async (page) => {
  await page.locator('.section', { hasText: '4 Who is active' }).locator('> summary').click();
  await page.locator('[id="active/latest-claim-wins"] > summary').click();
  const opened = page.locator('[id="active/latest-claim-wins"]');
  assert.match(await opened.locator('.requirement').first().textContent(), /^BH-CLAIM-001.*MUST make that instance active/);
  await opened.locator('svg').waitFor();
  const labels = await opened.locator('svg .label').allTextContents();
  for (const label of ['REGISTER 1', 'ACK 1', 'CLAIM_ACTIVE 3']) {
    assert.ok(labels.includes(label), labels.join(', '));
  }
  const heads = await opened.locator('svg .head text').allTextContents();
  assert.deepEqual(heads.slice(0, 3), ['hub', 'conn 1', 'conn 2']);
  assert.match((await opened.locator('svg .time').first().textContent()), /^\d+\.\d{3}$/);
  assert.match(await opened.locator('.end').textContent(), /PASS/);
  assert.match(await opened.locator('.again pre').textContent(), /--verbose active\/latest-claim-wins$/);
  /* An arrow to the hub points to the left, one from it to the right. */
  const ends = (kind) => row(page, 'traffic', kind).first().locator('.arrow')
    .evaluate((line) => [line.x1.baseVal.value, line.x2.baseVal.value]);
  const [sent, received] = [await ends('send'), await ends('receive')];
  assert.ok(sent[0] > sent[1] && received[0] < received[1], `${sent} ${received}`);
}));

test('marks what is stopped and what is killed', () => on(pages.right, async (page) => {
  await row(page, 'signal', 'kill').waitFor();
  assert.equal(await row(page, 'signal', 'kill').locator('.pill text').textContent(), 'SIGKILL');
  assert.equal(await row(page, 'signal', 'stop').locator('.pill text').textContent(), 'SIGSTOP');
  const stalled = await page.locator('.diagram .stalled').boundingBox();
  assert.ok(stalled.height > 26, `stalled for ${stalled.height}`);
  assert.equal(await page.locator('.diagram .head.tested').count(), 2); /* the hub, and the one that follows it */
  assert.equal(await row(page, 'start').count(), 2);
}, { hash: '#' + killed }));

test('shows a message whole when its row is chosen', () => on(pages.right, async (page) => {
  await row(page, 'traffic', 'send').first().click();
  const told = page.locator('.chosen-body');
  assert.match(await told.textContent(), /conn 1 to hub: BH1 REGISTER 1 \d+ \(\d+ octets\)/);
  assert.equal(JSON.parse(await told.locator('pre').textContent()).protocol, 1);
  await page.keyboard.press('ArrowDown');
  assert.match(await told.textContent(), /hub to conn 1: BH1 ACK 1/);
  await page.keyboard.press('End');
  assert.match(await told.textContent(), /PASS/);
  assert.equal(await page.locator('svg .row.chosen').count(), 1);
  assert.equal(await page.locator('svg [tabindex="0"]').count(), 1);
}, { hash: '#active/latest-claim-wins' }));

test('goes by keyboard alone', () => on(pages.wrong, async (page) => {
  await page.keyboard.press('/');
  await page.keyboard.type('takes-the-queue');
  assert.deepEqual(await shownCases(page), [crashed]);
  await page.locator('.section:visible > summary').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.case[open] svg').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.parentElement.id), crashed);
}));

test('tells of a crash what it was and what was last said', () => on(pages.wrong, async (page) => {
  const opened = page.locator('.case[open]');
  await opened.locator('svg').waitFor();
  assert.match(await opened.locator('.compare').textContent(), /expected.*came.*signal 11/);
  assert.match(await opened.locator('svg .end.CRASH').textContent(), /CRASH: .*signal 11/);
  assert.ok(await opened.locator('.text', { hasText: 'Last words' }).or(opened.getByText('wrote nothing')).first().isVisible());
  /* A link to a case shows it: below the filter, or as far up as the page goes. */
  await page.waitForFunction(() => {
    const { top } = document.querySelector('.case[open]').getBoundingClientRect();
    return top >= 0 && (top < 150 || scrollY + innerHeight >= document.documentElement.scrollHeight - 1);
  });
}, { hash: '#' + crashed }));

test('hides HEARTBEATs, and shows the answers to them', () => on(pages.right, async (page) => {
  const beats = page.getByLabel('HEARTBEATs', { exact: true }), answers = page.getByLabel('answers to HEARTBEATs by the suite');
  await page.locator('svg .row').first().waitFor();
  const count = () => page.locator('svg .row').count();
  const first = await count();
  await answers.check();
  assert.ok(await count() > first);
  await answers.uncheck();
  await beats.uncheck();
  assert.ok(await count() < first);
  assert.equal(await page.locator('svg .label', { hasText: 'HEARTBEAT' }).count(), 0);
}, { hash: '#active/latest-claim-wins' }));

test('keeps a huge transcript readable', () => on(pages.right, async (page) => {
  const box = page.locator('.diagram');
  await page.locator('svg .row').first().waitFor();
  assert.ok(await page.locator('svg .row').count() > 200);
  assert.equal(await row(page, 'omitted').count(), 1);
  const size = await box.evaluate((element) => [element.scrollWidth, element.clientHeight, innerHeight]);
  assert.ok(size[0] < 2000 && size[1] < size[2], size.join(' '));
  await page.getByRole('button', { name: 'To the end' }).click();
  const bottom = await page.locator('svg .end').boundingBox(), frame = await box.boundingBox();
  assert.ok(bottom.y < frame.y + frame.height);
}, { hash: '#limits/instances-up-to-256' }));

for (const colorScheme of ['light', 'dark']) {
  test(`fits a narrow window, ${colorScheme}`, () => on(pages.wrong, async (page) => {
    await page.locator('.case[open] svg').waitFor();
    const [wide, high] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= high, `${wide} in ${high}`);
    const [ink, paper] = await page.evaluate(() => ['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name]));
    assert.notEqual(ink, paper);
    assert.equal(paper === 'rgb(18, 22, 28)', colorScheme === 'dark');
  }, { hash: '#' + crashed, viewport: { width: 390, height: 800 }, colorScheme }));
}

test('is not led astray by what a program under test sends', async () => {
  const text = await readFile(pages.right, 'utf8');
  const [, before, json, behind] = /^(.*<script type="application\/json" id="data">)(.*?)(<\/script>.*)$/s.exec(text);
  const data = JSON.parse(json), evil = '</script><script>throw new Error("evil")</script><img src=x onerror=alert(1)>';
  const hard = { ...data.cases[0], verdict: 'FAIL', came: evil, expected: '`' + evil, fails: true, transcript: [
    { at: 0, kind: 'event', lane: 'hub', text: evil }, { at: 0.1, kind: 'receive', lane: evil, text: 'BH1 REGISTER 1 9', body: '{"name":null', size: 12 },
    { at: 0.1, kind: 'receive', lane: 'conn 7', text: 'BH1 HEARTBEAT 1 9', body: '{"active":{"x":1},"instances":5}', size: 9 },
    { at: 0.2, kind: 'send', lane: 'conn 7', text: 'BH1 ACK 1 9', body: '[]', size: 2 }, { kind: 'omitted', count: 5 },
    { at: 9, kind: 'receive', lane: 'conn 7', text: 'BH1 ERROR 1 9', body: 'null', size: 4 },
    { at: 9, kind: 'breach', text: evil, requirement: 'BH-BODY-001' }], log: [{ at: 0, lane: 'hub', text: evil }] };
  const path = join(directory, 'hard.html');
  const changed = JSON.stringify({ ...data, finished: false, exit_status: undefined, cases: [hard] }).replaceAll('<', '\\u003c');
  await writeFile(path, before + changed + behind);
  await on(path, async (page) => {
    await page.locator('.case[open] svg').waitFor();
    assert.match(await page.locator('#banner').textContent(), /^Unfinished.*1 of \d+ cases/);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await row(page, 'breach').count(), 1);
    assert.match(await page.locator('svg .gap').last().textContent(), /^\+8\.8 s$/);
  }, { hash: '#' + hard.slug });
  await writeFile(path, before + changed.slice(0, 500) + behind);
  await on(path, async (page) => assert.match(await page.locator('#outcome').textContent(), /damaged/));
});

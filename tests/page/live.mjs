// The tabs Live and Resume, with the traffic of the demo.
import { strict as assert } from 'node:assert';

const QUIET_MS = 2_500;

export async function checkLiveTabs(page, step) {
  await step('Live shows messages as they come', async () => {
    await page.showTab('Live');
    await page.run();
    const { received, newest } = await page.waitForResult('messages of the last minute', holdsMessages);
    assert.deepEqual(Object.keys(messageOf(newest[0])), ['time', 'topic', 'data']);
    await page.waitForResult('more messages', (result) => result.received > received);
    await screenshot(page, 'live');
  });

  await step('Stop ends it, and what came stays', async () => {
    const { received } = await page.stop();
    await sleep(QUIET_MS);
    const later = await page.waitForResult('the result', () => true);
    assert.equal(later.received, received, 'messages went on coming');
  });

  let onPage;
  await step('Resume puts its cursor into the variables', async () => {
    await page.showTab('Resume');
    const { data, errors } = await page.run('Resume');
    assert.equal(errors, undefined, `Resume failed: ${JSON.stringify(errors)}`);
    onPage = data.telemetry.nodes.map(nameOf);
    assert.equal(onPage.length, 3);
    assert.deepEqual(JSON.parse(await page.text('variables')), { resumeCursor: data.telemetry.resumeCursor });
    // So that there is something between the page and what is live.
    await sleep(QUIET_MS);
  });

  await step('ResumeLive shows the messages that follow, and none of the page', async () => {
    await page.run('ResumeLive');
    const { newest } = await page.waitForResult('messages that follow', holdsMessages);
    for (const result of newest) {
      const name = nameOf(messageOf(result));
      assert.ok(!onPage.includes(name), `${name} came twice`);
    }
    await screenshot(page, 'resume');
  });

  await step('a tab that is added ends it, and stays empty', async () => {
    await page.newTab();
    await sleep(QUIET_MS);
    assert.equal(await page.text('response'), '');
    await page.closeTab();
    const { received } = await page.waitForResult('what came before', holdsMessages);
    await sleep(QUIET_MS);
    const later = await page.waitForResult('the result', () => true);
    assert.equal(later.received, received, 'messages went on coming');
  });
}

const holdsMessages = ({ received }) => received > 0;
const messageOf = (result) => result.data.telemetry.message;
const nameOf = ({ time, topic }) => `${topic} at ${time}`;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function screenshot(page, name) {
  const path = process.env.SCREENSHOT;
  if (path) await page.screenshot(path.replace(/(\.png)?$/, `-${name}.png`));
}

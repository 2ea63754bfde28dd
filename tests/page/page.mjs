// The page in a real browser, against a running server: signing in, the first tabs, subscriptions, and a
// field that the editor learns without a reload. Prints one line a step; the first failure ends it with status 1.
//
//   TIDEGATE_PAGE   a signed-in address, http://…/#code=…, unused (required)
//   CHROMIUM        the browser (/usr/bin/chromium)
//   SCREENSHOT      a PNG file to write of the window with a result in it; those of the live tabs stand beside it
//   COLOR_SCHEME    light (default) or dark
import { strict as assert } from 'node:assert';
import { newContext, openBrowser } from './browser.mjs';
import { Page } from './driver.mjs';
import { checkLiveTabs } from './live.mjs';

const address = process.env.TIDEGATE_PAGE;
const browser = await openBrowser();

async function step(name, work) {
  try {
    await work();
    console.log(`ok - ${name}`);
  } catch (error) {
    console.log(`not ok - ${name}\n${error.message}`);
    await browser.close();
    process.exit(1);
  }
}

const field = `probe_${Math.random().toString(36).slice(2, 8)}`;
const value = `value of ${field}`;
const page = new Page(await newContext(browser));

await step('the address is given', async () => {
  assert.match(address ?? '', /^http:\/\/[^/]+\/#code=.+/, 'set TIDEGATE_PAGE to http://…/#code=…');
});

await step('the address signs in', async () => {
  await page.open(address);
  await page.waitForConsole();
});

await step('the code is gone from the address bar', async () => {
  assert.equal(
    page.url(),
    address.slice(0, address.indexOf('#')),
    'the address still holds more than the page',
  );
});

await step('five tabs are there, named after their operations', async () => {
  assert.deepEqual(await page.tabs(), ['Latest', 'ChosenFields', 'Publish', 'Live', 'Resume']);
});

await step('no tab has an error in the editor', async () => {
  for (const tab of ['ChosenFields', 'Publish', 'Live', 'Resume', 'Latest']) {
    await page.showTab(tab);
    await page.waitForNoMarkers(`the tab ${tab}`);
  }
});

await step('Latest answers with messages', async () => {
  const { data, errors } = await page.run();
  assert.equal(errors, undefined, `Latest failed: ${JSON.stringify(errors)}`);
  assert.ok(Object.values(data)[0]?.nodes?.length > 0, `no nodes in ${JSON.stringify(data)}`);
});

await step('the explorer is open beside it', async () => {
  await page.waitForExplorer('userEvents');
  if (process.env.SCREENSHOT) await page.screenshot(process.env.SCREENSHOT);
});

await step('ChosenFields answers with the chosen fields', async () => {
  await page.showTab('ChosenFields');
  const { data, errors } = await page.run();
  assert.equal(errors, undefined, `ChosenFields failed: ${JSON.stringify(errors)}`);
  const { nodes, pageInfo } = data.userEvents;
  assert.ok(nodes.length > 0, 'no nodes: does the server hold the sample message?');
  assert.deepEqual(Object.keys(nodes[0]), ['time', 'data']);
  assert.deepEqual(Object.keys(nodes[0].data), ['cookie_id', 'message']);
  assert.ok('hasPreviousPage' in pageInfo, 'no pageInfo');
});

await checkLiveTabs(page, step);

await step('Publish sends a message with a field never seen before', async () => {
  await page.showTab('Publish');
  const variables = JSON.parse(await page.text('variables'));
  assert.ok(variables.data, 'the variables are not prefilled');
  await page.replaceText(
    'variables',
    JSON.stringify({ data: { ...variables.data, [field]: value } }, null, 2),
  );
  const { data, errors } = await page.run();
  assert.equal(errors, undefined, `Publish failed: ${JSON.stringify(errors)}`);
  assert.equal(typeof data.publish.position, 'string');
});

await step('within 20 s, without a reload, the page says that the schema was updated', async () => {
  const before = await page.texts();
  await page.waitForNotice(new RegExp(`^Schema updated: .*${field}`), 20_000);
  assert.deepEqual(await page.texts(), before, 'the new schema touched the editors');
});

await step('autocomplete suggests the new field', async () => {
  await page.newTab();
  await page.replaceText('query', 'query Probe { userEvents(last: 50) { nodes { data { } } } }');
  await page.waitForSuggestion('data { ', 'probe_', field);
});

await step('the new field is valid, and answers', async () => {
  await page.replaceText('query', `query Probe { userEvents(last: 50) { nodes { data { ${field} } } } }`);
  await page.waitForNoMarkers('a query for the new field');
  const { data, errors } = await page.run();
  assert.equal(errors, undefined, `the query failed: ${JSON.stringify(errors)}`);
  const values = data.userEvents.nodes.map((node) => node.data?.[field]);
  assert.ok(values.includes(value), `the published value is not among ${JSON.stringify(values)}`);
});

await step('the explorer knows the new field', async () => {
  await page.waitForExplorer(field);
});

await step('an unknown field is still marked', async () => {
  await page.replaceText('query', 'query Probe { userEvents(last: 1) { nodes { no_such_field } } }');
  await page.waitForMarker('no_such_field');
});

await step('a reload stays signed in and keeps the tabs', async () => {
  await page.waitForKeptTab('no_such_field');
  const before = await page.tabs();
  await page.reload();
  await page.waitForConsole();
  assert.deepEqual(await page.tabs(), before);
  assert.equal(before.length, 6);
  assert.equal(before.at(-1), 'Probe');
});

await step('nothing went wrong unseen', async () => {
  page.assertClean();
});

await step('a used address shows how to get a new one', async () => {
  const other = new Page(await newContext(browser));
  await other.open(address);
  await other.waitForSignedOut(['This address no longer works', 'tidegate page']);
  // The browser itself reports the answer 400 that this step is about.
  other.assertClean({ allow: /status of 400/ });
});

await browser.close();

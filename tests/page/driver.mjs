// The page as its user meets it: tabs, editors, results. Waits are generous, and say what they waited for.
import { strict as assert } from 'node:assert';
import { EDITORS, MARKERS, PLAY, STOP, parsed, reportViolations, squeeze } from './parts.mjs';

const WAIT_MS = 60_000;

export class Page {
  #context;
  #page;
  #origin;
  #faults = [];

  constructor(context) {
    this.#context = context;
  }

  /** Opens an address in a new tab and records all that must not happen in it. */
  async open(address) {
    this.#origin = new URL(address).origin;
    this.#page = await this.#context.newPage();
    this.#page.setDefaultTimeout(WAIT_MS);
    this.#page.on('pageerror', (error) => this.#faults.push(`uncaught error: ${error.stack ?? error}`));
    this.#page.on('console', (message) => {
      if (message.type() === 'error') this.#faults.push(`console error: ${message.text()}`);
    });
    this.#context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && origin !== this.#origin) {
        this.#faults.push(`request to another origin: ${request.url()}`);
      }
    });
    await this.#page.addInitScript(reportViolations);
    await this.#page.goto(address);
  }

  url = () => this.#page.url();
  reload = () => this.#page.reload();
  screenshot = (path) => this.#page.screenshot({ path });

  /** Fails if the page asked anyone else, broke its content policy, or reported an error. */
  assertClean({ allow } = {}) {
    const faults = this.#faults.filter((fault) => !allow?.test(fault));
    assert.equal(faults.length, 0, faults.join('\n'));
  }

  async waitForConsole() {
    await this.#wait(`GraphiQL with its editor; the page shows: ${await this.#visibleText()}`, () =>
      this.#page.waitForSelector(EDITORS.query),
    );
  }

  async waitForSignedOut(texts) {
    for (const text of texts) {
      await this.#wait(`the signed-out panel with "${text}"`, () =>
        this.#page.getByRole('main').getByText(text, { exact: true }).waitFor(),
      );
    }
  }

  tabs = () => this.#page.locator('.graphiql-tab-button').allInnerTexts();

  async showTab(name) {
    const button = this.#page.locator('.graphiql-tab-button', { hasText: name });
    await this.#page.getByRole('tab', { name, exact: true }).or(button).first().click();
    const shown = async () => (await this.text('query')).includes(name);
    await this.#wait(`the text of the tab ${name}`, () => this.#poll(shown));
  }

  /** Waits until the browser keeps this text of a tab, which is a moment later than that of the editor. */
  async waitForKeptTab(text) {
    const isKept = (text) => localStorage.getItem('tidegate:graphiql:tabState')?.includes(text);
    await this.#wait(`the browser to keep ${text}`, () => this.#page.waitForFunction(isKept, text));
  }

  async newTab() {
    await this.#page.getByRole('button', { name: 'New tab' }).click();
    await this.#wait('an empty tab', () => this.#poll(async () => !(await this.text('query')).trim()));
  }

  /** Closes the tab that is shown. */
  closeTab = () => this.#page.locator('.graphiql-tab-active').getByLabel('Close Tab').click();

  /** Presses play, and gives the parsed result that follows; `operation` is chosen where there are several. */
  async run(operation) {
    // GraphiQL learns a moment after it shows a tab that there is a choice.
    await this.#page.locator(operation ? `${PLAY}[aria-haspopup]` : PLAY).click();
    if (operation) await this.#page.getByRole('menuitem', { name: operation, exact: true }).click();
    return this.waitForResult('a result', () => true);
  }

  /** Waits until the parsed result satisfies `condition`, and gives it. */
  async waitForResult(what, condition) {
    let result;
    await this.#wait(what, () =>
      this.#poll(async () => {
        if ((await this.#page.locator('.graphiql-response .graphiql-spinner').count()) > 0) return false;
        result = parsed(await this.text('response'));
        return result !== undefined && condition(result);
      }),
    );
    return result;
  }

  /** Presses stop, and gives the result that stays. */
  async stop() {
    await this.#page.locator(STOP).click();
    await this.#wait('the play button', () => this.#page.locator(PLAY).waitFor());
    return this.waitForResult('the last result', () => true);
  }

  /** The whole text of an editor, also what is scrolled out of sight. */
  async text(editor) {
    const uri = await this.#page.locator(EDITORS[editor]).first().getAttribute('data-uri');
    return this.#page.evaluate((uri) => {
      const models = globalThis.__MONACO.editor.getModels();
      return models.find((model) => model.uri.toString() === uri).getValue();
    }, uri);
  }

  /** What stands in all three editors. */
  async texts() {
    return Promise.all(Object.keys(EDITORS).map((editor) => this.text(editor)));
  }

  /** Selects what an editor holds and pastes over it: typed text would get closing brackets of its own. */
  async replaceText(editor, text) {
    await this.#page.locator(`${EDITORS[editor]} .view-lines`).first().click();
    await this.#page.keyboard.press('ControlOrMeta+A');
    await this.#page.evaluate((text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', text);
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.activeElement.dispatchEvent(paste);
    }, text);
    await this.#wait(`the ${editor} editor to take the text`, () =>
      this.#poll(async () => squeeze(await this.text(editor)) === squeeze(text)),
    );
  }

  /** Types `start` behind `after` in the query editor and waits until the list offers `label`. */
  async waitForSuggestion(after, start, label) {
    const query = await this.text('query');
    await this.#page.keyboard.press('ControlOrMeta+Home');
    for (let at = query.indexOf(after) + after.length; at > 0; at -= 1)
      await this.#page.keyboard.press('ArrowRight');
    await this.#page.keyboard.type(start, { delay: 30 });
    await this.#wait(`autocomplete to offer ${label}`, () =>
      this.#page.locator('.suggest-widget .monaco-list-row', { hasText: label }).first().waitFor(),
    );
    await this.#page.keyboard.press('Escape');
  }

  /** Waits until the editors mark nothing, and still mark nothing once validation has had its time. */
  async waitForNoMarkers(what) {
    await this.#page.waitForTimeout(1_500);
    await this.#wait(`no error markers in ${what}`, () =>
      this.#poll(async () => (await this.#page.locator(MARKERS).count()) === 0),
    );
  }

  async waitForMarker(what) {
    await this.#wait(`an error marker for ${what}`, () =>
      this.#page.locator(MARKERS).first().waitFor({ state: 'attached' }),
    );
  }

  async waitForExplorer(field) {
    const shown = this.#page.locator('.graphiql-explorer-root').getByText(field, { exact: true }).first();
    await this.#wait(`the explorer to show ${field}`, () => shown.waitFor());
  }

  async waitForNotice(text, timeout) {
    const notice = this.#page.getByRole('status').filter({ hasText: text });
    await this.#wait(`the notice "${text}"`, () => notice.first().waitFor({ timeout }));
  }

  async #visibleText() {
    const text = await this.#page.locator('body').innerText();
    return squeeze(text).slice(0, 200) || 'nothing';
  }

  async #poll(condition) {
    const end = Date.now() + WAIT_MS;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error('not in time');
      await this.#page.waitForTimeout(100);
    }
  }

  async #wait(what, work) {
    try {
      await work();
    } catch (error) {
      const seen = this.#faults.length > 0 ? `\nmeanwhile:\n${this.#faults.join('\n')}` : '';
      throw new Error(`waited for ${what}: ${error.message.split('\n')[0]}${seen}`);
    }
  }
}

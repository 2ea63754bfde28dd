// A Chromium that reaches this machine and nothing else.
import { chromium } from 'playwright-core';

const ONLY_LOOPBACK = [
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  '--no-proxy-server',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run'];

/** A headless browser with a new profile, which goes when it closes. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...ONLY_LOOPBACK, ...QUIET],
  });
}

/** A window without cookies, storage or history. */
export function newContext(browser) {
  return browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: process.env.COLOR_SCHEME ?? 'light',
    serviceWorkers: 'block',
  });
}

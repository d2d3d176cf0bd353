// `npm run test:browser`: Forerun in a page, on Chromium's software adapter.
import { existsSync } from 'node:fs';
import { runJest } from './jest.mjs';
import { setup } from './setup.mjs';
import { installPackages, updateLists } from './setup/apt.mjs';
import { SetupError, say } from './setup/report.mjs';
import { osRelease } from './setup/system.mjs';

/** Where Chromium and Chrome are installed. */
const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Debian's package. Ubuntu's of that name only points to a snap. */
const DEBIAN_PACKAGE = 'chromium';

function findBrowser() {
  return [process.env.FORERUN_CHROMIUM, ...BROWSERS].find((path) => path !== undefined && existsSync(path));
}

function installBrowser() {
  const mayInstall = process.getuid?.() === 0 && !process.env.FORERUN_NO_INSTALL;
  if (osRelease().ID !== 'debian' || !mayInstall) return undefined;
  say(`installing ${DEBIAN_PACKAGE} with apt: the tests open pages in it`);
  updateLists();
  installPackages([DEBIAN_PACKAGE]);
  return findBrowser();
}

function main(args) {
  const browser = findBrowser() ?? installBrowser();
  if (browser === undefined) {
    say('there is no Chromium or Chrome here: install one, or name its program in FORERUN_CHROMIUM.');
    return args.includes('--if-available') ? 0 : 1;
  }
  const rest = args.filter((arg) => arg !== '--if-available');
  return runJest(['--config', 'jest.browser.config.js', ...rest], { FORERUN_CHROMIUM: browser });
}

setup();
try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

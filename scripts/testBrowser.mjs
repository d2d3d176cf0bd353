// `npm run test:browser`: Forerun in a page, on Chromium's software adapter.
import { runJest } from './jest.mjs';
import { setup } from './setup.mjs';
import { findOrInstall, runCheck } from './setup/debianPackage.mjs';
import { say } from './setup/report.mjs';

/** Where Chromium and Chrome are installed. */
const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Debian's package. Ubuntu's of that name only points to a snap. */
const DEBIAN_PACKAGE = 'chromium';

function main(args) {
  const paths = [process.env.FORERUN_CHROMIUM, ...BROWSERS];
  const browser = findOrInstall(paths, DEBIAN_PACKAGE, 'the tests open pages in it');
  if (browser === undefined) {
    say('there is no Chromium or Chrome here: install one, or name its program in FORERUN_CHROMIUM.');
    return args.includes('--if-available') ? 0 : 1;
  }
  const rest = args.filter((arg) => arg !== '--if-available');
  return runJest(['--config', 'jest.browser.config.js', ...rest], { FORERUN_CHROMIUM: browser });
}

setup();
runCheck(main);

// `npm run test:swiftshader`: the GPU tests of the op registry once more on SwiftShader, the other software
// adapter, since a kernel may be right on one driver by luck. Debian's Chromium brings SwiftShader along.
import { runJest } from './jest.mjs';
import { setup } from './setup.mjs';
import { probeAdapter } from './setup/adapter.mjs';
import { findOrInstall, runCheck } from './setup/debianPackage.mjs';
import { SetupError, say } from './setup/report.mjs';

/** Where browsers keep the driver's manifest. */
const MANIFESTS = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
  '/opt/chromium.org/chromium/vk_swiftshader_icd.json',
];

/** The part of Debian's Chromium that holds the driver, without the browser itself. */
const DEBIAN_PACKAGE = 'chromium-common';

function main(args) {
  const paths = [process.env.FORERUN_SWIFTSHADER_ICD, ...MANIFESTS];
  const reason = 'it holds SwiftShader, a second software adapter to test the kernels on';
  const manifest = findOrInstall(paths, DEBIAN_PACKAGE, reason);
  if (manifest === undefined) {
    say(
      'SwiftShader is not here: install Chromium, or name its vk_swiftshader_icd.json in FORERUN_SWIFTSHADER_ICD.',
    );
    return args.includes('--if-available') ? 0 : 1;
  }
  const env = { VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest };
  const answer = probeAdapter({ ...process.env, ...env });
  if (!answer.found || !/swiftshader/i.test(`${answer.architecture} ${answer.description}`)) {
    throw new SetupError(
      `SwiftShader (${manifest}) gives no adapter: ${answer.reason ?? answer.description}`,
    );
  }
  say(`WebGPU adapter: ${answer.description}`);
  const rest = args.filter((arg) => arg !== '--if-available');
  const pattern = rest.length > 0 ? rest : ['packages/testing/test/.*\\.gpu\\.test\\.ts$'];
  return runJest(pattern, { ...env, FORERUN_REQUIRE_GPU_TESTS: '1' });
}

setup();
runCheck(main);

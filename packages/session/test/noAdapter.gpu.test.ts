/** Without a driver the error says what to install. Runs in a process of its own, where the driver is hidden. */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const session = pathToFileURL(join(import.meta.dirname, '../dist/index.js')).href;

const PROGRAM = `
  import { Session } from '${session}';
  await Session.create().catch((error) => console.log(JSON.stringify([error.name, error.message])));
`;

test('no adapter: UnavailableError with the packages to install', () => {
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    encoding: 'utf8',
    env: { ...process.env, VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' },
  });
  expect(status).toBe(0);
  const [name, message] = JSON.parse(stdout) as [string, string];
  expect(name).toBe('UnavailableError');
  expect(message).toMatch(
    /no WebGPU adapter was found.*mesa-vulkan-drivers .* or later \(Ubuntu 24\.04: .*; Debian 12: /,
  );
});

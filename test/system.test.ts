// What the set-up concludes from the system's own description, and the advice it gives where it installs nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNewEnough } from '../scripts/setup/lavapipe.mjs';
import { advice, aptSources, hasApt, osRelease } from '../scripts/setup/system.mjs';

const BOOKWORM = osRelease(
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
);
const NOBLE = osRelease("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME='noble'\n");

test('os-release is read with and without quotes', () => {
  expect(BOOKWORM).toEqual({
    PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
    VERSION_CODENAME: 'bookworm',
    ID: 'debian',
  });
  expect(NOBLE.VERSION_CODENAME).toBe('noble');
});

test('only Debian and Ubuntu are installed on', () => {
  expect(hasApt(BOOKWORM)).toBe(true);
  expect(hasApt(NOBLE)).toBe(true);
  expect(hasApt(osRelease('ID=linuxmint\nID_LIKE="ubuntu debian"\n'))).toBe(false);
  expect(hasApt(osRelease(''))).toBe(false);
});

test.each([
  ['22.3.6-1+deb12u2', false],
  ['23.2.1-1ubuntu3.1~22.04.3', true],
  ['25.0.7-2~bpo12+1', true],
  ['1:24.2.8-1', true],
  [undefined, false],
])('Mesa %s is new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

describe('advice', () => {
  test('on Debian 12 it names backports', () => {
    expect(advice('linux', BOOKWORM)).toContain(
      'apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1',
    );
  });

  test.each([
    ['Ubuntu', NOBLE, 'sudo apt-get install -y mesa-vulkan-drivers libvulkan1'],
    ['Fedora', osRelease('ID=fedora\n'), 'sudo dnf install mesa-vulkan-drivers vulkan-loader'],
    ['a descendant of Arch', osRelease('ID=manjaro\nID_LIKE=arch\n'), 'sudo pacman -S vulkan-swrast'],
  ])('on %s it gives the command', (_system, release, command) => {
    expect(advice('linux', release)).toContain(command);
  });

  test('elsewhere it says what is needed', () => {
    expect(advice('linux', {})).toContain('lavapipe');
    expect(advice('darwin', {})).toContain('Metal');
    expect(advice('win32', {})).toContain('Direct3D 12');
  });
});

test('all files that apt reads are read, and no others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-apt-'));
  try {
    expect(aptSources(folder)).toEqual([]);
    mkdirSync(join(folder, 'sources.list.d'));
    writeFileSync(join(folder, 'sources.list'), 'deb http://one.example/debian bookworm main\n');
    const deb822 =
      'Types: deb\nURIs: http://two.example/debian\nSuites: bookworm-updates\nComponents: main\n';
    writeFileSync(join(folder, 'sources.list.d', 'two.sources'), deb822);
    writeFileSync(join(folder, 'sources.list.d', 'three.list'), 'deb http://three.example/debian x main\n');
    writeFileSync(join(folder, 'sources.list.d', 'old.list.save'), 'deb http://four.example/debian x main\n');
    expect(aptSources(folder).flatMap(({ uris }) => uris)).toEqual([
      'http://one.example/debian',
      'http://three.example/debian',
      'http://two.example/debian',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

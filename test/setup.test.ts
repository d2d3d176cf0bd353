// The set-up as a user meets it: nothing to do is quick, and a machine without an adapter gets an answer, not a trace.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileState, root, stamp } from '../scripts/setup/stamps.mjs';

test('without any driver, FORERUN_NO_INSTALL prints what to install and ends with exit code 1', () => {
  // A list of drivers without an existing file stands for a machine without a driver.
  const none = '/nonexistent/icd.json';
  const child = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs'), 'adapter'], {
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      VK_ICD_FILENAMES: none,
      VK_DRIVER_FILES: none,
      FORERUN_NO_INSTALL: '1',
    },
  });
  expect(child.stderr).not.toContain('    at ');
  expect(child.stdout).toContain('WebGPU found no adapter on this machine');
  expect(child.stderr).toMatch(/FORERUN_NO_INSTALL is set|Metal|Direct3D|Install a GPU driver/);
  expect(child.status).toBe(1);
});

test('a stamp holds until its value changes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-stamp-'));
  try {
    const done = stamp('done', join(folder, 'cache'));
    expect(done.matches('a')).toBe(false);
    done.write('a');
    expect(done.matches('a')).toBe(true);
    expect(done.matches('b')).toBe(false);
    done.clear();
    expect(done.matches('a')).toBe(false);
    expect(fileState(join(folder, 'missing'))).toBe('absent');
    expect(existsSync(join(folder, 'cache'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

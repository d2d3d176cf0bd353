/**
 * Run by Jest in every test file: gives back the file's devices when its tests are done. A worker runs one file after
 * another, and its thousands of pipelines would use up the mappings of memory that Linux grants a process.
 */
import { afterAll, expect } from '@jest/globals';

afterAll(async () => {
  if (!expect.getState().testPath?.endsWith('.gpu.test.ts')) return;
  const [{ releaseDevice }, { releaseTestDevice }] = await Promise.all([
    import('@forerun/session'),
    import('./device.js'),
  ]);
  await Promise.all([releaseDevice(), releaseTestDevice()]);
});

// A jest reporter that counts the GPU tests which passed. Where they are required, it fails a run in which
// none did, so that a missing adapter or a wrong pattern cannot pass for success.

/** The packages' GPU tests. That of the packed form is not among them: it also tests what needs no GPU. */
const GPU_TEST = /[\\/]packages[\\/].*\.gpu\.test\.ts$/;

/** Required when the environment says FORERUN_REQUIRE_GPU_TESTS=1, as the scripts that run all tests do. */
export default class GpuTestReporter {
  #passed = 0;
  #files = 0;

  onTestResult(_test, { testFilePath, numPassingTests }) {
    if (!GPU_TEST.test(testFilePath)) return;
    this.#files += 1;
    this.#passed += numPassingTests;
  }

  onRunComplete() {
    if (this.#files > 0) console.log(`GPU tests: ${this.#passed} passed in ${this.#files} files`);
  }

  getLastError() {
    if (process.env.FORERUN_REQUIRE_GPU_TESTS !== '1' || this.#passed > 0) return undefined;
    return new Error('No GPU test (*.gpu.test.ts) passed in this run, and at least one has to.');
  }
}

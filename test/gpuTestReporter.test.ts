// A run that has to include GPU tests must fail where none passed.
import GpuTestReporter from '../scripts/gpuTestReporter.mjs';

const before = process.env.FORERUN_REQUIRE_GPU_TESTS;

afterEach(() => {
  if (before === undefined) delete process.env.FORERUN_REQUIRE_GPU_TESTS;
  else process.env.FORERUN_REQUIRE_GPU_TESTS = before;
});

function reporterAfter(...results: [path: string, passed: number][]): GpuTestReporter {
  const reporter = new GpuTestReporter();
  for (const [testFilePath, numPassingTests] of results) {
    reporter.onTestResult(undefined, { testFilePath, numPassingTests });
  }
  return reporter;
}

test.each([
  ['no test at all', [], /No GPU test/],
  ['tests without a GPU only', [['/r/packages/graph/test/shape.test.ts', 5]], /No GPU test/],
  ['GPU tests that all failed', [['/r/packages/session/test/run.gpu.test.ts', 0]], /No GPU test/],
  ['the packed form only', [['/r/test/pack.gpu.test.ts', 4]], /No GPU test/],
] satisfies [string, [string, number][], RegExp][])(
  'after %s a run that requires them fails',
  (_what, results, message) => {
    process.env.FORERUN_REQUIRE_GPU_TESTS = '1';
    expect(reporterAfter(...results).getLastError()?.message).toMatch(message);
  },
);

test('one GPU test that passed is enough', () => {
  process.env.FORERUN_REQUIRE_GPU_TESTS = '1';
  expect(reporterAfter(['/r/packages/session/test/run.gpu.test.ts', 1]).getLastError()).toBeUndefined();
});

test('a run of chosen files requires none', () => {
  delete process.env.FORERUN_REQUIRE_GPU_TESTS;
  expect(reporterAfter().getLastError()).toBeUndefined();
});

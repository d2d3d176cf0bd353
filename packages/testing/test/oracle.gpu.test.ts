/** The kernels, forward and along the gradient graphs, against independently computed values. */
import { gpuBackend } from '@forerun/testing';
import { ORACLE_CASES } from './oracleCases.js';
import { checkForward, checkGradients, checkOptimizer } from './oracleChecks.js';

const TIMEOUT = 120_000;

describe('the oracle on the device', () => {
  const device = gpuBackend();

  it('has cases to run', () => {
    expect(ORACLE_CASES.length).toBeGreaterThan(0);
  });

  it.each(ORACLE_CASES)(
    '$name',
    async (oracle) => {
      if (oracle.refs.length > 0) return checkOptimizer(device, oracle);
      await checkForward(device, oracle);
      await checkGradients(device, oracle);
    },
    TIMEOUT,
  );
});

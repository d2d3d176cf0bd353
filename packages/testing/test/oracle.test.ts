/** The references and the gradient graphs against independently computed values, in float64. */
import { runReference, type Backend } from '@forerun/testing';
import { ORACLE_CASES, unknownOracleOps } from './oracleCases.js';
import { checkForward, checkGradients, checkOptimizer } from './oracleChecks.js';

const reference: Backend = ({ op, inputs }) => Promise.resolve(runReference(op, inputs));

describe('the oracle', () => {
  it('has cases of the selected ops, and of no op that is not registered', () => {
    expect(ORACLE_CASES.length).toBeGreaterThan(0);
    expect(unknownOracleOps()).toEqual([]);
  });

  it.each(ORACLE_CASES)('$name', async (oracle) => {
    if (oracle.refs.length > 0) return checkOptimizer(reference, oracle);
    await checkForward(reference, oracle);
    await checkGradients(reference, oracle);
  });
});

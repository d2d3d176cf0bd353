/** The references and the gradient graphs against independently computed values, in float64. */
import { runReference, type Backend } from '@forerun/testing';
import { LATER_COUNT, ORACLE_CASES, ORACLE_LATER, oracleListProblems } from './oracleCases.js';
import { checkForward, checkGradients, checkOptimizer } from './oracleChecks.js';
import { testsEverything } from './selection.js';

const reference: Backend = ({ op, inputs }) => Promise.resolve(runReference(op, inputs));

describe('the oracle', () => {
  it('has cases for registered ops and for listed later ones only', () => {
    expect(ORACLE_CASES.length).toBeGreaterThan(0);
    expect(LATER_COUNT).toBeGreaterThanOrEqual(ORACLE_LATER.length);
    if (testsEverything) expect(oracleListProblems()).toEqual([]);
  });

  it.each(ORACLE_CASES)('$name', async (oracle) => {
    if (oracle.refs.length > 0) return checkOptimizer(reference, oracle);
    await checkForward(reference, oracle);
    await checkGradients(reference, oracle);
  });
});

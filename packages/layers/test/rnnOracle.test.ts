/** Recurrent cells over time against independently computed values and gradients, in float64. */
import type { HostValue, Operation } from '@forerun/graph';
import { expectClose, interpret } from '@forerun/testing';
import { RNN_CASES, RUNNERS, buildCase } from './rnnOracle.js';

describe.each(RUNNERS)('the oracle through %s', (runner) => {
  it.each(RNN_CASES)('$name', (json) => {
    const { feeds, variables, checks } = buildCase(json, runner);
    const state = new Map<Operation, HostValue>([...variables].map(([v, value]) => [v.op, value]));
    const results = interpret(
      checks.map(({ tensor }) => tensor),
      feeds,
      { variables: state },
    );
    checks.forEach(({ want, label }, i) => {
      const got = results[i];
      if (got === undefined) throw new Error(`${label} has no value`);
      expectClose(got, want, json.tolerance, label);
    });
  });
});

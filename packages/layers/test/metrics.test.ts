/** Streaming metrics: values over several batches, weights, resetting, names and collections. */
import {
  Graph,
  GraphKeys,
  getCollection,
  localVariables,
  localVariablesInitializer,
  nameScope,
  placeholder,
  type Variable,
} from '@forerun/graph';
import { AUTO_REUSE, metrics, variableScope } from '@forerun/layers';
import { ReferenceSession } from './run.js';

describe('metrics.mean', () => {
  it('is the mean of all batches', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null]);
      const [value, update] = metrics.mean(x);
      session.do(localVariablesInitializer());
      expect(session.get(value)).toEqual([0]);
      expect(session.get(update, [[x, [1, 2, 3]]])).toEqual([2]);
      expect(session.get(update, [[x, [10]]])).toEqual([4]);
      expect(session.get(value)).toEqual([4]);
      session.do(localVariablesInitializer({ name: 'reset' }));
      expect(session.get(value)).toEqual([0]);
    });
  });

  it('weighs values', () => {
    ReferenceSession.in((session) => {
      const [value, update] = metrics.mean([1, 2, 6], { weights: [1, 1, 2] });
      session.do(localVariablesInitializer());
      session.get(update);
      expect(session.get(value)).toEqual([15 / 4]);
    });
  });

  it('has its variables below the name scopes around it, whatever is reused', () => {
    new Graph().asDefault(() => {
      nameScope('evaluation', () => metrics.mean([1]));
      const build = (): metrics.Metric => metrics.mean([2], { name: 'loss' });
      variableScope('a', { reuse: AUTO_REUSE }, build);
      variableScope('a', { reuse: true }, build);
      expect(localVariables().map((v) => v.op.name)).toEqual([
        'evaluation/mean/total',
        'evaluation/mean/count',
        'a/loss/total',
        'a/loss/count',
        'a_1/loss/total',
        'a_1/loss/count',
      ]);
      expect(localVariables('evaluation/')).toHaveLength(2);
    });
  });

  it('keeps its variables out of the model', () => {
    new Graph().asDefault(() => {
      const [value, update] = metrics.mean([1], { metricsCollections: ['m'], updatesCollections: ['u'] });
      const named = metrics.mean([1], { name: 'loss' });
      expect(localVariables().map((v: Variable) => v.op.name)).toEqual([
        'mean/total',
        'mean/count',
        'loss/total',
        'loss/count',
      ]);
      expect(getCollection(GraphKeys.METRIC_VARIABLES)).toEqual(localVariables());
      expect(getCollection(GraphKeys.GLOBAL_VARIABLES)).toEqual([]);
      expect([value.name, update.name]).toEqual(['mean/value:0', 'mean/update_op:0']);
      expect(named[0].name).toBe('loss/value:0');
      expect([getCollection('m'), getCollection('u')]).toEqual([[value], [update]]);
    });
  });
});

describe('metrics.accuracy', () => {
  it('is the share of equal elements, whatever the integer dtypes', () => {
    ReferenceSession.in((session) => {
      const labels = placeholder('int32', [null, 1]);
      const predictions = placeholder('int64', [null]);
      const [value, update] = metrics.accuracy(labels, predictions);
      session.do(localVariablesInitializer());
      session.get(update, [
        [labels, [[1], [2], [3], [4]]],
        [predictions, [1, 2, 0, 0]],
      ]);
      session.get(update, [
        [labels, [[1], [1], [1], [1]]],
        [predictions, [1, 1, 1, 0]],
      ]);
      expect(session.get(value)).toEqual([5 / 8]);
    });
  });
});

describe('metrics.meanSquaredError', () => {
  it('is the mean of squared distances', () => {
    ReferenceSession.in((session) => {
      const [value, update] = metrics.meanSquaredError([1, 2], [3, 5]);
      session.do(localVariablesInitializer());
      session.get(update);
      expect(session.get(value)).toEqual([6.5]);
    });
  });
});

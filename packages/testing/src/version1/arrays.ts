/** Tensor arrays of version 1 files in their rarer forms: cut and joined, growing, read twice, and stacks of nested loops. */
import { Loop, array, gradient, input, zeros } from './loops.js';
import { F, I, R, node, scalar } from './nodes.js';

const vector = (name: string, values: readonly number[], type: 'INT32' | 'INT64'): string =>
  node(name, 'Const', '', {
    dtype: `type: DT_${type}`,
    value: `tensor { dtype: DT_${type} tensor_shape { dim { size: ${values.length} } } ${values
      .map((value) => `${type === 'INT32' ? 'int_val' : 'int64_val'}: ${value}`)
      .join(' ')} }`,
  });

const JOINED = { dtype: 'type: DT_FLOAT', element_shape_except0: 'shape { unknown_rank: true }' };

/**
 * `x` [6, 2] cut into pieces of 1, 2 and 3 rows, each multiplied by its number from 1 in a loop that writes to an array
 * which grows from nothing; `concat` joins them, `concat:1` are the lengths, `size` the number.
 */
export const CUT_AND_JOINED = ((): string => {
  const loop = new Loop('w');
  const time = loop.variable('start', I);
  const flow = loop.variable('out:1', F);
  loop.condition(loop.add('Less', 'Less', `${time.merge} ${loop.constant('n', 'n', I)}`, I));
  loop.nodes.push(scalar('w/one', 1, `^${time.body}`, 'INT32'));
  const next = loop.add('add', 'Add', `${time.body} w/one`, I);
  const piece = loop.add(
    'read',
    'TensorArrayReadV3',
    `${loop.constant('in', 'in', R)} ${time.body} ${loop.constant('flow', 'split', F)}`,
    { dtype: 'type: DT_FLOAT' },
  );
  const factor = loop.add('Cast', 'Cast', next, { SrcT: 'type: DT_INT32', DstT: 'type: DT_FLOAT' });
  const scaled = loop.add('Mul', 'Mul', `${piece} ${factor}`, F);
  const out = loop.constant('out', 'out', R);
  const written = loop.add('write', 'TensorArrayWriteV3', `${out} ${time.body} ${scaled} ${flow.body}`, F);
  time.finish(next);
  const ended = flow.finish(written);
  return [
    input('x', [6, 2]),
    scalar('start', 0, '', 'INT32'),
    scalar('none', 0, '', 'INT32'),
    scalar('n', 3, '', 'INT32'),
    vector('lengths', [1, 2, 3], 'INT64'),
    array('in', 'n'),
    array('out', 'none', true),
    node('split', 'TensorArraySplitV3', 'in x lengths in:1', F),
    ...loop.nodes,
    node('concat', 'TensorArrayConcatV3', `out ${ended}`, JOINED),
    node('size', 'TensorArraySizeV3', `out ${ended}`),
    // as the gradient of the concat has it: the pieces of dy go to an array of gradients, which is joined again
    input('dy', [6, 2]),
    gradient('back', 'out', ended),
    node('back/split', 'TensorArraySplitV3', 'back/TensorArrayGradV3 dy concat:1 back/gradient_flow', F),
    node('back/again', 'TensorArraySplitV3', 'back/TensorArrayGradV3 dy concat:1 back/split', F),
    node('back/concat', 'TensorArrayConcatV3', 'back/TensorArrayGradV3 back/again', JOINED),
  ].join('');
})();

const gathered = { dtype: 'type: DT_FLOAT', element_shape: 'shape { dim { size: 2 } }' };

/** Rows 2, 0 and 2 of an array of the rows of `x` [3, 2], and `dx` as the file computes it from `dy` [3, 2]. */
export const READ_TWICE = [
  input('x', [3, 2]),
  input('dy', [3, 2]),
  scalar('start', 0, '', 'INT32'),
  scalar('n', 3, '', 'INT32'),
  scalar('delta', 1, '', 'INT32'),
  node('range', 'Range', 'start n delta', { Tidx: 'type: DT_INT32' }),
  vector('rows', [2, 0, 2], 'INT32'),
  array('a', 'n'),
  node('scatter', 'TensorArrayScatterV3', 'a range x a:1', F),
  node('y', 'TensorArrayGatherV3', 'a rows scatter', gathered),
  gradient('back', 'a', 'scatter'),
  node('back/scatter', 'TensorArrayScatterV3', 'back/TensorArrayGradV3 rows dy back/gradient_flow', F),
  node('dx', 'TensorArrayGatherV3', 'back/TensorArrayGradV3 range back/scatter', gathered),
].join('');

/** The stack `name`, entered into both loops. */
function stackOf(name: string, type: string, outer: Loop, inner: Loop | null): string {
  const entered = outer.constant(`${name}/Enter`, name, R);
  outer.nodes.unshift(
    scalar(`${name}/max_size`, -1, '', 'INT32'),
    node(name, 'StackV2', `${name}/max_size`, { elem_type: `type: DT_${type}`, stack_name: 's: ""' }),
  );
  return inner === null ? entered : inner.constant(`${name}/Enter`, entered, R);
}

/**
 * `h` multiplied by `w` six times, in two iterations of three, and `dw`, with all values of `h` on one stack and the
 * counts of the inner loop on another: `h` and `w` are scalars.
 */
export const NESTED_STACKS = ((): string => {
  const outer = new Loop('f');
  const inner = new Loop('f/g', 'f/g/context');
  const [i, h] = [outer.variable('zero', I), outer.variable('h', F)];
  outer.condition(outer.add('Less', 'Less', `${i.merge} ${outer.constant('n', 'two', I)}`, I));
  outer.nodes.push(scalar('f/one', 1, `^${i.body}`, 'INT32'), scalar('f/g/start', 0, `^${i.body}`, 'INT32'));
  const [j, hh] = [inner.variable('f/g/start', I), inner.variable(h.body, F)];
  const three = inner.constant('m', outer.constant('m', 'three', I), I);
  inner.condition(inner.add('Less', 'Less', `${j.merge} ${three}`, I));
  inner.nodes.push(scalar('f/g/one', 1, `^${j.body}`, 'INT32'));
  const values = stackOf('values', 'FLOAT', outer, inner);
  const pushed = inner.add('push', 'StackPushV2', `${values} ${hh.body}`, F);
  const w = inner.constant('w', outer.constant('w', 'w', F), F);
  const product = inner.add('Mul', 'Mul', `${hh.body} ${w}`, F);
  const count = j.finish(inner.add('Add', 'Add', `${j.body} f/g/one`, I), `^${pushed}`);
  const last = hh.finish(product);
  const counts = stackOf('counts', 'INT32', outer, null);
  const counted = outer.add('push', 'StackPushV2', `${counts} ${count}`, I);
  const rounds = i.finish(outer.add('Add', 'Add', `${i.body} f/one`, I), `^${counted}`);
  const y = h.finish(last);

  const back = new Loop('b');
  const within = new Loop('b/g', 'b/g/context');
  const [k, dy, dw] = [back.variable(rounds, I), back.variable('dy', F), back.variable('none', F)];
  back.condition(back.add('Greater', 'Greater', `${k.merge} ${back.constant('zero', 'zero', I)}`, I));
  back.nodes.push(scalar('b/one', 1, `^${k.body}`, 'INT32'));
  const popCounts = back.add('pop', 'StackPopV2', back.constant('counts/Enter', 'counts', R), {
    elem_type: 'type: DT_INT32',
  });
  const [l, dh, dv] = [
    within.variable(popCounts, I),
    within.variable(dy.body, F),
    within.variable(dw.body, F),
  ];
  const floor = within.constant('zero', back.constant('zero_1', 'zero', I), I);
  within.condition(within.add('Greater', 'Greater', `${l.merge} ${floor}`, I));
  within.nodes.push(scalar('b/g/one', 1, `^${l.body}`, 'INT32'));
  const popValues = within.constant('values/Enter', back.constant('values/Enter', 'values', R), R);
  const old = within.add('pop', 'StackPopV2', popValues, { elem_type: 'type: DT_FLOAT' });
  const slope = within.add('Mul', 'Mul', `${dh.body} ${old}`, F);
  const sum = within.add('AddTo', 'Add', `${dv.body} ${slope}`, F);
  const factor = within.constant('w', back.constant('w', 'w', F), F);
  const before = within.add('Mul_1', 'Mul', `${dh.body} ${factor}`, F);
  l.finish(within.add('Sub', 'Sub', `${l.body} b/g/one`, I), `^${old}`);
  const [toOuter, total] = [dh.finish(before), dv.finish(sum)];
  k.finish(back.add('Sub', 'Sub', `${k.body} b/one`, I), `^${popCounts}`);
  dy.finish(toOuter);
  const dwEnd = dw.finish(total);
  return [
    input('h', []),
    input('w', []),
    input('dy', []),
    scalar('zero', 0, '', 'INT32'),
    scalar('two', 2, '', 'INT32'),
    scalar('three', 3, '', 'INT32'),
    zeros('none', []),
    ...outer.nodes,
    ...inner.nodes,
    ...back.nodes,
    ...within.nodes,
    node('y', 'Identity', y, F),
    node('dw', 'Identity', dwEnd, F),
  ].join('');
})();

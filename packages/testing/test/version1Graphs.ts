/** Graphs as TensorFlow 1.15's `tf.cond` and `tf.while_loop` write them, in a short notation that gives text files. */
import type { Operation } from '@forerun/graph';

/** Attributes in the text format, by op. */
type Attrs = Readonly<Record<string, string>>;

const F = { T: 'type: DT_FLOAT' };
const I = { T: 'type: DT_INT32' };
const B = { T: 'type: DT_BOOL' };

function node(name: string, op: string, inputs: string, attrs: Attrs = {}): string {
  const lines = [
    `name: "${name}"`,
    `op: "${op}"`,
    ...inputs
      .split(' ')
      .filter((input) => input !== '')
      .map((input) => `input: "${input}"`),
    ...Object.entries(attrs).map(([key, value]) => `attr { key: "${key}" value { ${value} } }`),
  ];
  return `node {\n  ${lines.join('\n  ')}\n}\n`;
}

function scalar(name: string, value: number, control = '', type: 'FLOAT' | 'INT32' = 'FLOAT'): string {
  const field = type === 'FLOAT' ? 'float_val' : 'int_val';
  return node(name, 'Const', control, {
    dtype: `type: DT_${type}`,
    value: `tensor { dtype: DT_${type} tensor_shape { } ${field}: ${value} }`,
  });
}

function placeholder(name: string, type: string): string {
  return node(name, 'Placeholder', '', { dtype: `type: DT_${type}`, shape: 'shape { }' });
}

function enter(name: string, input: string, frame: string, type: Attrs, constant = false): string {
  return node(name, 'Enter', input, {
    ...type,
    frame_name: `s: "${frame}"`,
    is_constant: `b: ${constant}`,
    parallel_iterations: 'i: 10',
  });
}

const merge = (name: string, a: string, b: string, type: Attrs): string =>
  node(name, 'Merge', `${a} ${b}`, { ...type, N: 'i: 2' });

/** `tf.cond(pred, lambda: x + 1, lambda: x * 10)`, and `-` of the result. */
export const CONDITIONAL = [
  placeholder('pred', 'BOOL'),
  placeholder('x', 'FLOAT'),
  node('cond/Switch', 'Switch', 'pred pred', B),
  node('cond/switch_t', 'Identity', 'cond/Switch:1', B),
  node('cond/switch_f', 'Identity', 'cond/Switch', B),
  node('cond/pred_id', 'Identity', 'pred', B),
  scalar('cond/Add/y', 1, '^cond/switch_t'),
  node('cond/Add/Switch', 'Switch', 'x cond/pred_id', F),
  node('cond/Add', 'Add', 'cond/Add/Switch:1 cond/Add/y', F),
  scalar('cond/Mul/y', 10, '^cond/switch_f'),
  node('cond/Mul/Switch', 'Switch', 'x cond/pred_id', F),
  node('cond/Mul', 'Mul', 'cond/Mul/Switch cond/Mul/y', F),
  merge('cond/Merge', 'cond/Mul', 'cond/Add', F),
  node('after', 'Neg', 'cond/Merge', F),
].join('');

/** `a, b = b, a + b` as long as `b <= limit`; the limit is constant in the loop. */
export const FIBONACCI = [
  placeholder('limit', 'FLOAT'),
  scalar('a', 0),
  scalar('b', 1),
  scalar('count', 0, '', 'INT32'),
  enter('while/Enter', 'a', 'while/while_context', F),
  enter('while/Enter_1', 'count', 'while/while_context', I),
  enter('while/Enter_2', 'b', 'while/while_context', F),
  merge('while/Merge', 'while/Enter', 'while/NextIteration', F),
  merge('while/Merge_1', 'while/Enter_1', 'while/NextIteration_1', I),
  merge('while/Merge_2', 'while/Enter_2', 'while/NextIteration_2', F),
  enter('while/Less/Enter', 'limit', 'while/while_context', F, true),
  node('while/Less', 'LessEqual', 'while/Merge_2 while/Less/Enter', F),
  node('while/LoopCond', 'LoopCond', 'while/Less'),
  node('while/Switch', 'Switch', 'while/Merge while/LoopCond', F),
  node('while/Switch_1', 'Switch', 'while/Merge_1 while/LoopCond', I),
  node('while/Switch_2', 'Switch', 'while/Merge_2 while/LoopCond', F),
  node('while/Identity', 'Identity', 'while/Switch:1', F),
  node('while/Identity_1', 'Identity', 'while/Switch_1:1', I),
  node('while/Identity_2', 'Identity', 'while/Switch_2:1', F),
  scalar('while/one', 1, '^while/Identity', 'INT32'),
  node('while/next', 'Add', 'while/Identity_1 while/one', I),
  node('while/sum', 'Add', 'while/Identity while/Identity_2', F),
  node('while/NextIteration', 'NextIteration', 'while/Identity_2', F),
  node('while/NextIteration_1', 'NextIteration', 'while/next', I),
  node('while/NextIteration_2', 'NextIteration', 'while/sum', F),
  node('while/Exit', 'Exit', 'while/Switch', F),
  node('while/Exit_1', 'Exit', 'while/Switch_1', I),
  node('while/Exit_2', 'Exit', 'while/Switch_2', F),
].join('');

const arrayAttrs = { dtype: 'type: DT_FLOAT', element_shape: 'shape { unknown_rank: true }' };

/** Running sums of the rows [1, 2], [3, 4], [5, 6], through two tensor arrays as `dynamic_rnn` has them. */
export const SUM_OF_ROWS = [
  node('rows', 'Const', '', {
    dtype: 'type: DT_FLOAT',
    value:
      'tensor { dtype: DT_FLOAT tensor_shape { dim { size: 3 } dim { size: 2 } } float_val: 1 float_val: 2 float_val: 3 float_val: 4 float_val: 5 float_val: 6 }',
  }),
  node('zero', 'Const', '', {
    dtype: 'type: DT_FLOAT',
    value: 'tensor { dtype: DT_FLOAT tensor_shape { dim { size: 2 } } float_val: 0 }',
  }),
  scalar('n', 3, '', 'INT32'),
  scalar('start', 0, '', 'INT32'),
  scalar('delta', 1, '', 'INT32'),
  node('range', 'Range', 'start n delta', { Tidx: 'type: DT_INT32' }),
  node('in', 'TensorArrayV3', 'n', { ...arrayAttrs, dynamic_size: 'b: false' }),
  node('out', 'TensorArrayV3', 'n', { ...arrayAttrs, dynamic_size: 'b: false' }),
  node('scatter', 'TensorArrayScatterV3', 'in range rows in:1', F),
  enter('w/Enter', 'start', 'w/frame', I),
  enter('w/Enter_1', 'out:1', 'w/frame', F),
  enter('w/Enter_2', 'zero', 'w/frame', F),
  enter('w/n', 'n', 'w/frame', I, true),
  enter('w/in', 'in', 'w/frame', { T: 'type: DT_RESOURCE' }, true),
  enter('w/flow', 'scatter', 'w/frame', F, true),
  enter('w/out', 'out', 'w/frame', { T: 'type: DT_RESOURCE' }, true),
  merge('w/Merge', 'w/Enter', 'w/NextIteration', I),
  merge('w/Merge_1', 'w/Enter_1', 'w/NextIteration_1', F),
  merge('w/Merge_2', 'w/Enter_2', 'w/NextIteration_2', F),
  node('w/Less', 'Less', 'w/Merge w/n', I),
  node('w/LoopCond', 'LoopCond', 'w/Less'),
  node('w/Switch', 'Switch', 'w/Merge w/LoopCond', I),
  node('w/Switch_1', 'Switch', 'w/Merge_1 w/LoopCond', F),
  node('w/Switch_2', 'Switch', 'w/Merge_2 w/LoopCond', F),
  node('w/Identity', 'Identity', 'w/Switch:1', I),
  node('w/Identity_1', 'Identity', 'w/Switch_1:1', F),
  node('w/Identity_2', 'Identity', 'w/Switch_2:1', F),
  scalar('w/one', 1, '^w/Identity', 'INT32'),
  node('w/add', 'Add', 'w/Identity w/one', I),
  node('w/read', 'TensorArrayReadV3', 'w/in w/Identity w/flow', { dtype: 'type: DT_FLOAT' }),
  node('w/sum', 'Add', 'w/Identity_2 w/read', F),
  node('w/write', 'TensorArrayWriteV3', 'w/out w/Identity w/sum w/Identity_1', F),
  node('w/NextIteration', 'NextIteration', 'w/add', I),
  node('w/NextIteration_1', 'NextIteration', 'w/write', F),
  node('w/NextIteration_2', 'NextIteration', 'w/sum', F),
  node('w/Exit_1', 'Exit', 'w/Switch_1', F),
  node('w/Exit_2', 'Exit', 'w/Switch_2', F),
  node('stack', 'TensorArrayGatherV3', 'out range w/Exit_1', arrayAttrs),
].join('');

/** Sums over i below 4: i times 3 by an inner loop where i is odd, else 100. */
export const NESTED = [
  scalar('zero', 0, '', 'INT32'),
  scalar('four', 4, '', 'INT32'),
  scalar('three', 3, '', 'INT32'),
  enter('outer/Enter', 'zero', 'outer', I),
  enter('outer/Enter_1', 'zero', 'outer', I),
  enter('outer/four', 'four', 'outer', I, true),
  enter('outer/three', 'three', 'outer', I, true),
  merge('outer/Merge', 'outer/Enter', 'outer/NextIteration', I),
  merge('outer/Merge_1', 'outer/Enter_1', 'outer/NextIteration_1', I),
  node('outer/Less', 'Less', 'outer/Merge outer/four', I),
  node('outer/LoopCond', 'LoopCond', 'outer/Less'),
  node('outer/Switch', 'Switch', 'outer/Merge outer/LoopCond', I),
  node('outer/Switch_1', 'Switch', 'outer/Merge_1 outer/LoopCond', I),
  node('outer/Identity', 'Identity', 'outer/Switch:1', I),
  node('outer/Identity_1', 'Identity', 'outer/Switch_1:1', I),
  scalar('outer/one', 1, '^outer/Identity', 'INT32'),
  scalar('outer/two', 2, '^outer/Identity', 'INT32'),
  scalar('outer/zero', 0, '^outer/Identity', 'INT32'),
  node('outer/add', 'Add', 'outer/Identity outer/one', I),
  node('outer/mod', 'FloorMod', 'outer/Identity outer/two', I),
  node('outer/pred', 'Equal', 'outer/mod outer/one', I),
  node('outer/cond/Switch', 'Switch', 'outer/pred outer/pred', B),
  node('outer/cond/switch_t', 'Identity', 'outer/cond/Switch:1', B),
  node('outer/cond/switch_f', 'Identity', 'outer/cond/Switch', B),
  node('outer/cond/pred_id', 'Identity', 'outer/pred', B),
  node('outer/cond/i', 'Switch', 'outer/Identity outer/cond/pred_id', I),
  node('outer/cond/n', 'Switch', 'outer/three outer/cond/pred_id', I),
  scalar('outer/cond/begin', 0, '^outer/cond/switch_t', 'INT32'),
  enter('inner/Enter', 'outer/cond/begin', 'inner', I),
  enter('inner/Enter_1', 'outer/cond/begin', 'inner', I),
  enter('inner/i', 'outer/cond/i:1', 'inner', I, true),
  enter('inner/n', 'outer/cond/n:1', 'inner', I, true),
  merge('inner/Merge', 'inner/Enter', 'inner/NextIteration', I),
  merge('inner/Merge_1', 'inner/Enter_1', 'inner/NextIteration_1', I),
  node('inner/Less', 'Less', 'inner/Merge inner/n', I),
  node('inner/LoopCond', 'LoopCond', 'inner/Less'),
  node('inner/Switch', 'Switch', 'inner/Merge inner/LoopCond', I),
  node('inner/Switch_1', 'Switch', 'inner/Merge_1 inner/LoopCond', I),
  node('inner/Identity', 'Identity', 'inner/Switch:1', I),
  node('inner/Identity_1', 'Identity', 'inner/Switch_1:1', I),
  scalar('inner/one', 1, '^inner/Identity', 'INT32'),
  node('inner/add', 'Add', 'inner/Identity inner/one', I),
  node('inner/sum', 'Add', 'inner/Identity_1 inner/i', I),
  node('inner/NextIteration', 'NextIteration', 'inner/add', I),
  node('inner/NextIteration_1', 'NextIteration', 'inner/sum', I),
  node('inner/Exit_1', 'Exit', 'inner/Switch_1', I),
  scalar('outer/cond/hundred', 100, '^outer/cond/switch_f', 'INT32'),
  merge('outer/cond/Merge', 'outer/cond/hundred', 'inner/Exit_1', I),
  node('outer/total', 'Add', 'outer/Identity_1 outer/cond/Merge', I),
  node('outer/NextIteration', 'NextIteration', 'outer/add', I),
  node('outer/NextIteration_1', 'NextIteration', 'outer/total', I),
  node('outer/Exit_1', 'Exit', 'outer/Switch_1', I),
].join('');

/** The inputs of a node by name. */
export function inputsOf(op: Operation): string[] {
  return [...op.inputs.map(({ name }) => name), ...op.controlInputs.map(({ name }) => `^${name}`)];
}

/**
 * Training steps as TensorFlow 1.15 writes them without functional control flow: a forward loop that counts its
 * iterations and pushes what the way back needs on stacks, and a loop that goes backward, pops, and accumulates.
 */
import { Backward, History, Loop, array, gradient, input, mat, zeros } from './loops.js';
import { B, F, I, R, merge, node, scalar } from './nodes.js';

/** Steps, batch, width of inputs and of states. */
export const RNN_SIZES = { steps: 4, batch: 2, inputs: 3, units: 2 } as const;

/** The loop of the net: its stacks, the flow of its outputs and how often it goes round. */
function recurrentLoop() {
  const forward = new Loop('rnn/while');
  const time = forward.variable('time', I);
  const flow = forward.variable('out:1', F);
  const state = forward.variable('h0', F);
  const limit = forward.constant('Less/Enter', 'n', I);
  forward.condition(forward.add('Less', 'Less', `${time.merge} ${limit}`, I));
  const history = new History(forward);
  forward.nodes.push(scalar('rnn/while/one', 1, `^${time.body}`, 'INT32'));
  const next = forward.add('add', 'Add', `${time.body} rnn/while/one`, I);
  const readFrom = forward.constant('read/Enter', 'in', R);
  const readFlow = forward.constant('read/Enter_1', 'scatter', F);
  const xt = forward.add('read', 'TensorArrayReadV3', `${readFrom} ${time.body} ${readFlow}`, {
    dtype: 'type: DT_FLOAT',
  });
  const [w, u] = [forward.constant('W/Enter', 'W', F), forward.constant('U/Enter', 'U', F)];
  const xw = forward.add('MatMul', 'MatMul', `${xt} ${w}`, mat());
  const hu = forward.add('MatMul_1', 'MatMul', `${state.body} ${u}`, mat());
  const z = forward.add('z', 'Add', `${xw} ${hu}`, F);
  const h = forward.add('Tanh', 'Tanh', z, F);
  const writeTo = forward.constant('write/Enter', 'out', R);
  const written = forward.add('write', 'TensorArrayWriteV3', `${writeTo} ${time.body} ${h} ${flow.body}`, F);
  const stacks = {
    tanh: history.push(h, F),
    x: history.push(xt, F),
    h: history.push(state.body, F),
    writeAt: history.push(time.body, I),
    readAt: history.push(time.body, I),
  };
  time.finish(next);
  const outFlow = flow.finish(written);
  state.finish(h);
  const iterations = history.finish();
  return { stacks, outFlow, iterations, nodes: [...history.nodes, ...forward.nodes] };
}

/** The loop backward, which the gradients of the outputs enter by their flow. */
function recurrentGradient(stacks: ReturnType<typeof recurrentLoop>['stacks'], iterations: string) {
  const { batch, inputs, units } = RNN_SIZES;
  const back = new Backward('gradients/rnn/while', iterations);
  const dflow = back.variable('gradients/gather_grad/scatter', F);
  const dstate = back.variable('gradients/zeros', F);
  const outs = back.constant('write_grad/Enter', 'out', R);
  back.nodes.push(gradient('gradients/rnn/while/write_grad', outs, dflow.body));
  const dout = back.add(
    'write_grad/TensorArrayReadV3',
    'TensorArrayReadV3',
    `gradients/rnn/while/write_grad/TensorArrayGradV3 ${back.pop(stacks.writeAt, I)} gradients/rnn/while/write_grad/gradient_flow`,
    { dtype: 'type: DT_FLOAT' },
  );
  const dh = back.add('AddN', 'AddN', `${dstate.body} ${dout}`, { ...F, N: 'i: 2' });
  const dz = back.add('TanhGrad', 'TanhGrad', `${back.pop(stacks.tanh, F)} ${dh}`, F);
  const [bw, bu] = [back.constant('W/Enter', 'W', F), back.constant('U/Enter', 'U', F)];
  const dxt = back.add('MatMul', 'MatMul', `${dz} ${bw}`, mat(false, true));
  const dwt = back.add('MatMul_1', 'MatMul', `${back.pop(stacks.x, F)} ${dz}`, mat(true));
  const dht = back.add('MatMul_2', 'MatMul', `${dz} ${bu}`, mat(false, true));
  const dut = back.add('MatMul_3', 'MatMul', `${back.pop(stacks.h, F)} ${dz}`, mat(true));
  const ins = back.constant('read_grad/Enter', 'in', R);
  const inFlow = back.constant('read_grad/Enter_1', 'scatter', F);
  back.nodes.push(gradient('gradients/rnn/while/read_grad', ins, inFlow));
  const dread = back.add(
    'read_grad/TensorArrayWriteV3',
    'TensorArrayWriteV3',
    `gradients/rnn/while/read_grad/TensorArrayGradV3 ${back.pop(stacks.readAt, I)} ${dxt} gradients/rnn/while/read_grad/gradient_flow`,
    F,
  );
  dflow.finish(dflow.body);
  const dh0 = dstate.finish(dht);
  const dW = back.accumulate('W', zeros('gradients/rnn/while/W/b_acc', [inputs, units]), dwt);
  const dU = back.accumulate('U', zeros('gradients/rnn/while/U/b_acc', [units, units]), dut);
  const dinFlow = back.accumulate('flow', zeros('gradients/rnn/while/flow/b_acc', []), dread);
  return { dh0, dW, dU, dinFlow, nodes: [zeros('gradients/zeros', [batch, units]), back.text()] };
}

/**
 * `dynamic_rnn` over `x` [steps, batch, inputs] with `h = tanh(x W + h U)`, the loss `sum(outputs²)`, and its gradients:
 * `dx`, `dh0`, `dW`, `dU`. `W` and `U` are given as nodes that have these names, so is the number `n` of steps.
 */
export function recurrentStep(weights: string, count = scalar('n', RNN_SIZES.steps, '', 'INT32')): string {
  const { steps, batch, inputs, units } = RNN_SIZES;
  const { stacks, outFlow, iterations, nodes } = recurrentLoop();
  const back = recurrentGradient(stacks, iterations);
  return [
    weights,
    input('x', [steps, batch, inputs]),
    input('h0', [batch, units]),
    scalar('time', 0, '', 'INT32'),
    count,
    scalar('delta', 1, '', 'INT32'),
    node('range', 'Range', 'time n delta', { Tidx: 'type: DT_INT32' }),
    array('in', 'n'),
    array('out', 'n'),
    node('scatter', 'TensorArrayScatterV3', 'in range x in:1', F),
    ...nodes,
    node('gather', 'TensorArrayGatherV3', `out range ${outFlow}`, {
      dtype: 'type: DT_FLOAT',
      element_shape: 'shape { dim { size: -1 } dim { size: 2 } }',
    }),
    node('square', 'Square', 'gather', F),
    scalar('axes/rank', 3, '', 'INT32'),
    node('axes', 'Range', 'time axes/rank delta', { Tidx: 'type: DT_INT32' }),
    node('loss', 'Sum', 'square axes', { ...F, Tidx: 'type: DT_INT32', keep_dims: 'b: false' }),
    scalar('gradients/two', 2),
    node('gradients/square_grad', 'Mul', 'gather gradients/two', F),
    gradient('gradients/gather_grad', 'out', outFlow),
    node(
      'gradients/gather_grad/scatter',
      'TensorArrayScatterV3',
      'gradients/gather_grad/TensorArrayGradV3 range gradients/square_grad gradients/gather_grad/gradient_flow',
      F,
    ),
    ...back.nodes,
    gradient('gradients/scatter_grad', 'in', back.dinFlow),
    node(
      'gradients/scatter_grad/gather',
      'TensorArrayGatherV3',
      'gradients/scatter_grad/TensorArrayGradV3 range gradients/scatter_grad/gradient_flow',
      { dtype: 'type: DT_FLOAT', element_shape: 'shape { unknown_rank: true }' },
    ),
    node('dx', 'Identity', 'gradients/scatter_grad/gather', F),
    node('dh0', 'Identity', back.dh0, F),
    node('dW', 'Identity', back.dW, F),
    node('dU', 'Identity', back.dU, F),
  ].join('');
}

/**
 * `x` to the power of 2 where it is below 2 and times `a` elsewhere, as long as it is below 50; the gradients `dx` and
 * `da` go through a conditional in the loop, whose stacks are pushed and popped in its branches only.
 */
export function branchingStep(): string {
  const forward = new Loop('while');
  const x = forward.variable('x', F);
  const limit = forward.constant('Less/Enter', 'limit', F);
  forward.condition(forward.add('Less', 'Less', `${x.merge} ${limit}`, F));
  const history = new History(forward);
  const a = forward.constant('a/Enter', 'a', F);
  const two = forward.constant('two/Enter', 'two', F);
  const pred = forward.add('cond/Less', 'Less', `${x.body} ${two}`, F);
  const id = forward.add('cond/pred_id', 'Identity', pred, B);
  const xs = forward.add('cond/x', 'Switch', `${x.body} ${id}`, F);
  const as = forward.add('cond/a', 'Switch', `${a} ${id}`, F);
  const square = forward.add('cond/Mul', 'Mul', `${xs}:1 ${xs}:1`, F);
  const scaled = forward.add('cond/Mul_1', 'Mul', `${xs} ${as}`, F);
  forward.nodes.push(merge('while/cond/Merge', scaled, square, F));
  const within = (side: string) => (stack: string) => {
    const name = `cond/${stack.split('/').slice(1).join('_')}`;
    return `${forward.add(name, 'Switch', `${stack} ${id}`, R)}${side}`;
  };
  const stacks = {
    pred: history.push(pred, B),
    square: history.push(`${xs}:1`, F, within(':1')),
    scaled: history.push(xs, F, within('')),
  };
  const [first, ...inBranches] = history.pushes.map((push) => `^${push}`);
  const sync = forward.add('f_sync', 'ControlTrigger', inBranches.join(' '));
  const y = x.finish('while/cond/Merge');
  const count = history.finish(`${first ?? ''} ^${sync}`);

  const back = new Backward('gradients/while', count);
  const dy = back.variable('gradients/ones', F);
  const bpred = back.pop(stacks.pred, B);
  const branch = back.add('Merge_grad/cond_grad', 'Switch', `${dy.body} ${bpred}`, F);
  const guard = (name: string, side: string) => (stack: string) =>
    `${back.add(name, 'Switch', `${stack} ${bpred}`, R)}${side}`;
  const xTrue = back.pop(stacks.square, F, guard('pop_square', ':1'));
  const xFalse = back.pop(stacks.scaled, F, guard('pop_scaled', ''));
  const half = back.add('Mul_grad/Mul', 'Mul', `${branch}:1 ${xTrue}`, F);
  const dTrue = back.add('Mul_grad/AddN', 'AddN', `${half} ${half}`, { ...F, N: 'i: 2' });
  const ba = back.constant('a/Enter', 'a', F);
  const baFalse = back.add('a/Switch', 'Switch', `${ba} ${bpred}`, F);
  const dFalse = back.add('Mul_1_grad/Mul', 'Mul', `${branch} ${baFalse}`, F);
  const daFalse = back.add('Mul_1_grad/Mul_1', 'Mul', `${branch} ${xFalse}`, F);
  const zero = back.constant('zero/Enter', 'zero', F);
  const daTrue = back.add('zero/Switch', 'Switch', `${zero} ${bpred}`, F);
  back.nodes.push(merge('gradients/while/cond_grad', dFalse, dTrue, F));
  back.nodes.push(merge('gradients/while/cond_grad_1', daFalse, `${daTrue}:1`, F));
  const dx = dy.finish('gradients/while/cond_grad');
  const da = back.accumulate('a', zeros('gradients/while/a/b_acc', []), 'gradients/while/cond_grad_1');

  return [
    input('x', []),
    input('a', []),
    scalar('limit', 50),
    scalar('two', 2),
    scalar('zero', 0),
    ...history.nodes,
    ...forward.nodes,
    node('y', 'Identity', y, F),
    scalar('gradients/ones', 1),
    back.text(),
    node('dx', 'Identity', dx, F),
    node('da', 'Identity', da, F),
  ].join('');
}

/** A kernel in a session of ours: as shipped, or with what `forerun tune` found on this machine. */
import * as fr from 'forerun';
import { timeRuns, values, type PeerCase, type PeerMeasurement } from './peerCases.js';

/** The operands are variables, so that a run uploads nothing; one element is fetched. */
export async function measureForerun({ kind, shapes }: PeerCase): Promise<PeerMeasurement> {
  const [x, w] = shapes.map(
    (shape) => new fr.Variable(fr.constant(new fr.TensorValue('float32', shape, values(shape)))),
  );
  if (x === undefined || w === undefined) throw new Error('a kernel has two operands');
  const result = kernelOf(kind, x.value(), w.value());
  const session = await fr.Session.create();
  await session.run(fr.globalVariablesInitializer());
  const one = fr.slice(fr.reshape(result, [-1]), [0], [1]);
  return timeRuns(() => session.run(one));
}

function kernelOf(kind: PeerCase['kind'], x: fr.Tensor, w: fr.Tensor): fr.Tensor {
  const options = { strides: 1, padding: 'SAME' } as const;
  switch (kind) {
    case 'matMul':
      return fr.matMul(x, w);
    case 'conv2d':
      return fr.nn.conv2d(x, w, options);
    // Stride 1 and as many filters as channels: the gradient of the output has the shape of the images.
    case 'conv2dInput':
      return fr.nn.conv2dBackpropInput(x.shape.toStatic(), w, x, options);
    case 'conv2dFilter':
      return fr.nn.conv2dBackpropFilter(x, w.shape.toStatic(), x, options);
  }
}

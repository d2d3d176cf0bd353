/** A kernel of ONNX Runtime's WebGPU provider. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import protobuf from 'protobufjs';
import { timeRuns, values, type PeerCase, type PeerMeasurement } from './peerCases.js';

/** Throws when the kernel is not one of inference. */
export async function measureOnnx(test: PeerCase): Promise<PeerMeasurement> {
  const [x, w] = test.shapes;
  const isProduct = test.kind === 'matMul';
  if (!isProduct && test.kind !== 'conv2d') throw new Error('ONNX Runtime only infers');
  const [n = 0, height = 0, width = 0, channels = 0] = x;
  const [kernelHeight = 0, kernelWidth = 0, , filters = 0] = w;
  const shapes = isProduct
    ? { x, w }
    : { x: [n, channels, height, width], w: [filters, channels, kernelHeight, kernelWidth] };
  const model = isProduct ? oneNode('MatMul', shapes.w, []) : oneNode('Conv', shapes.w, [SAME]);
  const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] });
  const feeds = { x: new Tensor('float32', values(shapes.x), shapes.x) };
  return timeRuns(() => session.run(feeds));
}

type Write = (writer: protobuf.Writer) => unknown;

const LENGTH_DELIMITED = 2;

/** Writes field `number` as an embedded message. */
function message(writer: protobuf.Writer, number: number, write: Write): void {
  write(writer.uint32((number << 3) | LENGTH_DELIMITED).fork());
  writer.ldelim();
}

const text = (writer: protobuf.Writer, number: number, value: string): protobuf.Writer =>
  writer.uint32((number << 3) | LENGTH_DELIMITED).string(value);
const integer = (writer: protobuf.Writer, number: number, value: number): protobuf.Writer =>
  writer.uint32(number << 3).int64(value);

/** AttributeProto: `auto_pad` = "SAME_UPPER". */
const SAME: Write = (attribute) => {
  text(attribute, 1, 'auto_pad');
  text(attribute, 4, 'SAME_UPPER');
  integer(attribute, 20, 3);
};

/** A model (onnx.proto) `y = type(x, w)` with the constant `w`. Shapes of `x` and `y` are left open. */
function oneNode(type: string, shape: readonly number[], attributes: readonly Write[]): Uint8Array {
  const model = protobuf.Writer.create();
  integer(model, 1, 8);
  message(model, 8, (opset) => {
    text(opset, 1, '');
    integer(opset, 2, 17);
  });
  message(model, 7, (graph) => {
    message(graph, 1, (node) => {
      text(text(text(text(node, 1, 'x'), 1, 'w'), 2, 'y'), 4, type);
      for (const attribute of attributes) message(node, 5, attribute);
    });
    text(graph, 2, 'kernel');
    message(graph, 5, (tensor) => {
      for (const dim of shape) integer(tensor, 1, dim);
      integer(tensor, 2, 1);
      text(tensor, 8, 'w');
      tensor.uint32((9 << 3) | LENGTH_DELIMITED).bytes(new Uint8Array(values(shape).buffer));
    });
    for (const [field, name] of [
      [11, 'x'],
      [12, 'y'],
    ] as const) {
      message(graph, field, (value) => {
        text(value, 1, name);
        message(value, 2, (typeProto) => message(typeProto, 1, (tensorType) => integer(tensorType, 1, 1)));
      });
    }
  });
  return model.finish();
}

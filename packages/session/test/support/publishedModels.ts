/**
 * The pre-trained graphs of npm `@vladmandic/human`, which were written by several converters from several frameworks, and
 * what TensorFlow.js computes with them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sizeOf, TensorValue, type Tensor } from '@forerun/graph';
import { Random } from '@forerun/testing';

const MODELS = fileURLToPath(new URL('../../../../node_modules/@vladmandic/human/models', import.meta.url));
const REFERENCE = fileURLToPath(new URL('tfjsReference.mjs', import.meta.url));

/** All, and those whose shaders a software driver compiles quickly. */
export const ALL_MODELS = [
  'antispoof',
  'blazeface',
  'centernet',
  'emotion',
  'facemesh',
  'faceres',
  'handlandmark-lite',
  'handtrack',
  'iris',
  'liveness',
  'movenet-lightning',
] as const;
export const SMALL_MODELS = ['liveness', 'antispoof'] as const;

/** The path of a model's `model.json`. */
export function modelPath(name: string): string {
  return join(MODELS, `${name}.json`);
}

/** Noise in the range of images for `input`, one image where the batch is open. */
export function imageFor(input: Tensor): TensorValue {
  const shape = (input.shape.dims ?? []).map((dim, axis) => dim ?? (axis === 0 ? 1 : 320));
  const noise = new Random(7).array(sizeOf(shape));
  if (input.dtype === 'float32') return new TensorValue('float32', shape, Float32Array.from(noise));
  const bytes = Uint8Array.from(noise, (x) => Math.floor((x + 1) * 127.99));
  return input.dtype === 'uint8'
    ? new TensorValue('uint8', shape, bytes)
    : new TensorValue('int32', shape, Int32Array.from(bytes));
}

/** What TensorFlow.js gives for the outputs of a model's signature, by the names of their nodes. */
export function tfjsOutputs(
  name: string,
  input: Tensor,
  value: TensorValue,
  directory: string,
): Map<string, TensorValue> {
  const [given, found] = [join(directory, 'input.json'), join(directory, 'outputs.json')];
  writeFileSync(
    given,
    JSON.stringify({ name: input.op.name, dtype: value.dtype, shape: value.shape, data: base64(value) }),
  );
  const { status, stderr } = spawnSync(process.execPath, [REFERENCE, modelPath(name), given, found], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`TensorFlow.js failed on ${name}:\n${stderr}`);
  const outputs = JSON.parse(readFileSync(found, 'utf8')) as Record<
    string,
    { dtype: string; shape: number[]; data: string }
  >;
  return new Map(Object.entries(outputs).map(([key, output]) => [key, fromBase64(output)]));
}

function base64({ data }: TensorValue): string {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function fromBase64({ dtype, shape, data }: { dtype: string; shape: number[]; data: string }): TensorValue {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  if (dtype === 'bool') return new TensorValue('bool', shape, bytes);
  if (dtype === 'int32') return new TensorValue('int32', shape, new Int32Array(bytes.buffer));
  return new TensorValue('float32', shape, new Float32Array(bytes.buffer));
}

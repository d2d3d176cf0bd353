/** Runs the command, in this process or as one of its own, and makes the files that it is shown. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  encodeBundle,
  exportMetaGraph,
  globalVariablesInitializer,
  Graph,
  matMul,
  placeholder,
  placeholderWithDefault,
  softmax,
  TensorValue,
  writeCheckpointState,
  writeGraphDef,
  writeMetaGraph,
  writeSavedModel,
  type BundleInput,
} from '@forerun/graph';
import { layers, losses, train } from '@forerun/layers';
import { main } from '../src/main.js';

const PROGRAM = resolve(import.meta.dirname, '../bin/forerun.js');
export const GOLDEN = resolve(import.meta.dirname, '../../graph/test/golden/v1');

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The environment of a pipe: nothing that asks for colours or a width. */
export function plainEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const asking = new Set(['NO_COLOR', 'FORCE_COLOR', 'COLUMNS', 'FORERUN_DEBUG', 'NODE_OPTIONS']);
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !asking.has(name))),
    ...extra,
  };
}

/** Runs `forerun` with `args` in this process, which saves the time that a process takes to start. */
export async function forerun(
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const written = { out: '', err: '' };
  const host = {
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
    env: plainEnv(extra),
    platform: 'linux',
  };
  return { code: await main(args, host), ...written };
}

/** As `forerun`, of a command that must end well, and parses what it printed. */
export async function forerunJson<T>(...args: readonly string[]): Promise<T> {
  return parsed(await forerun([...args, '--json']));
}

/** Runs the built `forerun` with `args` as a process, as users do. */
export function spawned(args: readonly string[], extra: Readonly<Record<string, string>> = {}): Result {
  if (!existsSync(resolve(PROGRAM, '../../dist/index.js')))
    throw new Error('not built: run npm run build first');
  const child = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env: plainEnv(extra),
    maxBuffer: 2 ** 28,
  });
  if (child.error !== undefined) throw child.error;
  return { code: child.status, out: child.stdout, err: child.stderr };
}

/** As `spawned`, of a command that must end well, and parses what it printed. */
export function spawnedJson<T>(...args: readonly string[]): T {
  return parsed(spawned([...args, '--json']));
}

function parsed<T>({ code, out, err }: Result): T {
  if (code !== 0) throw new Error(`exit code ${code}: ${err}`);
  return JSON.parse(out) as T;
}

/** The path of the program itself. */
export function programPath(): string {
  return PROGRAM;
}

/** A folder for the files of one test file, removed by `remove`. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'forerun-cli-'));

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, bytes: Uint8Array | string): string {
    const path = this.at(name);
    mkdirSync(resolve(path, '..'), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * A convolutional network with its training nodes: 8x8 images, 4 filters of 3x3, a pool, 5 classes.
 * Parameters: 3*3*1*4 + 4 + 64*5 + 5 = 365.
 */
export function buildNetwork(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const images = placeholder('float32', [null, 8, 8, 1], { name: 'images' });
    const labels = placeholder('int32', [null], { name: 'labels' });
    placeholderWithDefault(0.5, [], { name: 'rate' });
    const conv = layers.conv2d(images, 4, 3, { padding: 'same', name: 'conv' });
    const pool = layers.maxPooling2d(conv, 2, 2, { name: 'pool' });
    const logits = layers.dense(layers.flatten(pool), 5, { name: 'logits' });
    const loss = losses.sparseSoftmaxCrossEntropy(labels, logits);
    const globalStep = train.getOrCreateGlobalStep();
    new train.AdamOptimizer(1e-3).minimize(loss, { globalStep, name: 'train' });
    softmax(logits, { name: 'probabilities' });
    globalVariablesInitializer();
  });
  return graph;
}

/** `product = x * w` with x of [?,3] and a constant w of [3,2]: a frozen graph. */
export function buildFrozen(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    matMul(
      x,
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { name: 'product' },
    );
  });
  return graph;
}

/** Writes the network in every form; the names tell which. */
export function writeForms(folder: Folder): void {
  const graph = buildNetwork();
  folder.write('graph.pb', writeGraphDef(graph));
  folder.write('graph.pbtxt', writeGraphDef(graph, 'pbtxt'));
  folder.write('graph.json', writeGraphDef(graph, 'json'));
  const tensor = graph.getTensorByName('images:0');
  const info = {
    name: tensor.name,
    dtype: 1,
    tensorShape: { dim: [{ size: -1 }, { size: 8 }, { size: 8 }, { size: 1 }] },
  };
  const scores = { name: 'probabilities:0', dtype: 1, tensorShape: { dim: [{ size: -1 }, { size: 5 }] } };
  const signature = {
    inputs: new Map([['pictures', info]]),
    outputs: new Map([['scores', scores]]),
    methodName: 'tensorflow/serving/predict',
  };
  const meta = exportMetaGraph({ graph, signatureDefs: new Map([['serving_default', signature]]) });
  folder.write('graph.meta', writeMetaGraph(meta));
  const tagged = (...tags: string[]): typeof meta => ({
    ...meta,
    metaInfoDef: { ...meta.metaInfoDef, tags },
  });
  const one = { savedModelSchemaVersion: 1, metaGraphs: [tagged('serve')] };
  const two = { savedModelSchemaVersion: 1, metaGraphs: [tagged('serve'), tagged('train', 'gpu')] };
  folder.write('model/saved_model.pb', writeSavedModel(one));
  folder.write('textModel/saved_model.pbtxt', writeSavedModel(one, 'pbtxt'));
  folder.write('twoGraphs/saved_model.pb', writeSavedModel(two));
  writeCheckpoint(folder, 'checkpoints/model.ckpt-7');
  folder.write('checkpoints/checkpoint', writeCheckpointState({ modelCheckpointPath: 'model.ckpt-7' }));
}

/** A checkpoint of the network's variables, under their names: elements that depend on their index alone. */
export function writeNetworkCheckpoint(folder: Folder, prefix: string): string {
  const variables = buildNetwork().operations.filter(({ type }) => type === 'VarHandleOp');
  const tensors = variables.map(({ name, outputs: [handle] }): BundleInput => {
    const { dtype = 'float32', shape } = handle?.handle ?? {};
    const size = shape?.size ?? 1;
    const data = dtype === 'int64' ? new BigInt64Array(size) : Float32Array.from({ length: size }, (_, i) => Math.sin(i + name.length) / 4); // prettier-ignore
    return { name, value: new TensorValue(dtype, shape?.toStatic() ?? [], data) };
  });
  const {
    index,
    data: [shard = new Uint8Array(0)],
  } = encodeBundle(tensors);
  folder.write(`${prefix}.index`, index);
  folder.write(`${prefix}.data-00000-of-00001`, shard);
  return folder.at(prefix);
}

function values(shape: readonly number[]): TensorValue {
  return new TensorValue('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
}

/** A checkpoint of two variables, one with a slot, and a step: 6 + 6 + 2 + 1 elements. */
export function writeCheckpoint(folder: Folder, prefix: string): string {
  const tensors: BundleInput[] = [
    { name: 'fc/bias', value: values([2]) },
    { name: 'fc/kernel', value: values([3, 2]) },
    { name: 'fc/kernel/Momentum', value: values([3, 2]) },
    { name: 'global_step', value: new TensorValue('int64', [], new BigInt64Array([7n])) },
  ];
  const {
    index,
    data: [shard = new Uint8Array(0)],
  } = encodeBundle(tensors);
  folder.write(`${prefix}.index`, index);
  folder.write(`${prefix}.data-00000-of-00001`, shard);
  return folder.at(prefix);
}

/**
 * The objects of a checkpoint of TensorFlow 2: which tensor belongs to which attribute of which object. There a variable is stored
 * under the path of attributes that leads to it, such as `model/dense/kernel/.ATTRIBUTES/VARIABLE_VALUE`.
 */
import { DataLossError } from '../errors.js';
import { decode } from '../proto/decode.js';
import { UNKNOWN_FIELDS } from '../proto/message.js';
import type { MetaGraphDef, SavedObject, TrackableObjectGraph } from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import type { CheckpointFile } from './checkpointFile.js';

/** Key of the string tensor that holds the message of the objects. */
export const OBJECT_GRAPH_KEY = '_CHECKPOINTABLE_OBJECT_GRAPH';

/** A tensor of an object. */
export interface StoredObject {
  /** Attributes from the root to the object, joined by slashes: `model/dense/kernel`. */
  readonly path: string;
  /** What is stored of the object; `VARIABLE_VALUE` for a variable's value. */
  readonly attribute: string;
  /** The variable's name in its graph, `dense/kernel`; empty when the writer knew none. */
  readonly fullName: string;
  /** Its key in the checkpoint. */
  readonly key: string;
}

const VALUE = 'VARIABLE_VALUE';

export class ObjectGraph {
  /** All stored tensors, by their shortest paths, in order of these. */
  readonly objects: readonly StoredObject[];

  private constructor(private readonly graph: TrackableObjectGraph) {
    const paths = shortestPaths(graph, 'checkpoint');
    this.objects = graph.nodes
      .flatMap(({ attributes }, node) =>
        attributes.map(({ name, fullName, checkpointKey }) => ({
          path: paths.get(node) ?? checkpointKey.replace(/\/\.ATTRIBUTES\/.*$/, ''),
          attribute: name,
          fullName,
          key: checkpointKey,
        })),
      )
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  /** The objects of a checkpoint, `undefined` when it has none because it was written by names. Throws `DataLossError`. */
  static async of(checkpoint: Pick<CheckpointFile, 'has' | 'read'>): Promise<ObjectGraph | undefined> {
    if (!checkpoint.has(OBJECT_GRAPH_KEY)) return undefined;
    const [bytes] = (await checkpoint.read(OBJECT_GRAPH_KEY)).data;
    if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array)) {
      throw new DataLossError(`the checkpoint's "${OBJECT_GRAPH_KEY}" holds no message`);
    }
    return new ObjectGraph(decode('TrackableObjectGraph', toBytes(bytes)));
  }

  /**
   * The key of the value that a name means: the key itself, a path of attributes (any that leads there), or the variable's name in the
   * graph that it came from. `undefined` when it means none, or several.
   */
  keyOf(name: string): string | undefined {
    const wanted = name.replace(/:0$/, '');
    const keys = new Set(
      this.objects
        .filter(({ key, path, fullName, attribute }) => {
          if (key === name) return true;
          return attribute === VALUE && (path === wanted || (fullName !== '' && fullName === wanted));
        })
        .map(({ key }) => key),
    );
    const [only] = keys;
    return keys.size === 1 ? only : (this.followed(wanted) ?? undefined);
  }

  /** The value of the object at the end of a path. */
  private followed(path: string): string | undefined {
    let node = this.graph.nodes[0];
    for (const part of path.split('/')) {
      const child = node?.children.find(({ localName }) => escaped(localName) === part || localName === part);
      node = child === undefined ? undefined : this.graph.nodes[child.nodeId];
    }
    return node?.attributes.find(({ name }) => name === VALUE)?.checkpointKey;
  }
}

/** A name as keys have it: slashes and periods would mean something else. */
function escaped(name: string): string {
  return name.replaceAll('.', '..').replaceAll('/', '.S');
}

/** Objects that refer to each other. */
interface Nodes {
  readonly nodes: readonly Pick<SavedObject, 'children'>[];
}

/** Paths from the root, breadth first; of two of one length the first. */
function shortestPaths({ nodes }: Nodes, owner: string): Map<number, string> {
  const paths = new Map<number, string>([[0, '']]);
  const queue = [0];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] ?? 0;
    const path = paths.get(node) ?? '';
    for (const { nodeId, localName } of nodes[node]?.children ?? []) {
      if (paths.has(nodeId)) continue;
      if (nodeId < 0 || nodeId >= nodes.length) {
        throw new DataLossError(
          `the ${owner}'s objects: "${path}" has a child ${nodeId}, there are ${nodes.length}`,
        );
      }
      paths.set(nodeId, path === '' ? escaped(localName) : `${path}/${escaped(localName)}`);
      queue.push(nodeId);
    }
  }
  return paths;
}

/**
 * Paths of the objects that the functions of a SavedModel of TensorFlow 2 are given as their last arguments, by the functions' names.
 * Throws `DataLossError`.
 */
export function boundObjectPaths({
  [UNKNOWN_FIELDS]: more,
}: MetaGraphDef): ReadonlyMap<string, readonly (string | undefined)[]> {
  const objects = more === undefined ? undefined : decode('MetaGraphObjects', more).objectGraphDef;
  if (objects === undefined) return new Map();
  const paths = shortestPaths(objects, 'SavedModel');
  return new Map(
    [...objects.concreteFunctions].map(([name, fn]) => [name, fn.boundInputs.map((node) => paths.get(node))]),
  );
}

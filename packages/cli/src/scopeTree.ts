/** Names of nodes or tensors as a tree of scopes, with sums over each scope. */

/** A thing with a name whose slashes separate scopes. */
export interface Leaf {
  readonly name: string;
  /** Op type, or dtype and shape. */
  readonly label: string;
  readonly parameters: number;
  readonly bytes: number;
}

/** A scope, a leaf, or both: a variable `w` is a node and the scope of its initializer. */
export interface ScopeNode {
  /** Last part of the name. */
  readonly name: string;
  /** The whole name; empty for the root. */
  readonly path: string;
  /** Set when a node has exactly this name. */
  label?: string;
  /** Leaves here and below. */
  nodes: number;
  parameters: number;
  bytes: number;
  readonly children: Map<string, ScopeNode>;
}

/** The tree of all leaves, children in the order in which they first occur. */
export function scopeTree(leaves: readonly Leaf[]): ScopeNode {
  const root = emptyNode('', '');
  for (const leaf of leaves) {
    let at = root;
    add(at, leaf);
    for (const part of leaf.name.split('/')) {
      const path = at === root ? part : `${at.path}/${part}`;
      const child = at.children.get(part) ?? emptyNode(part, path);
      at.children.set(part, child);
      add(child, leaf);
      at = child;
    }
    at.label = leaf.label;
  }
  return root;
}

function emptyNode(name: string, path: string): ScopeNode {
  return { name, path, nodes: 0, parameters: 0, bytes: 0, children: new Map() };
}

function add(node: ScopeNode, { parameters, bytes }: Leaf): void {
  node.nodes++;
  node.parameters += parameters;
  node.bytes += bytes;
}

/** The scope called `path`, or `undefined`. */
export function findScope(root: ScopeNode, path: string): ScopeNode | undefined {
  let at: ScopeNode | undefined = root;
  for (const part of path.split('/').filter((name) => name !== '')) at = at?.children.get(part);
  return at;
}

/** Names of all scopes, for suggestions. */
export function scopeNames(root: ScopeNode): string[] {
  return [...root.children.values()].flatMap((child) => [child.path, ...scopeNames(child)]);
}

/** Functions that an ONNX model brings along: nodes of their names stand for the nodes in them. */
import type { proto } from '@forerun/graph';

export type ModelFunctions = ReadonlyMap<string, proto.onnxFunctionProto>;

const ownDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

/** What a node calls. */
export function calleeOf({ domain, opType, overload }: proto.onnxNodeProto): string {
  return `${ownDomain(domain)}:${opType}:${overload}`;
}

export function functionsOfModel({ functions }: proto.onnxModelProto): ModelFunctions {
  return new Map(functions.map((fn) => [`${ownDomain(fn.domain)}:${fn.name}:${fn.overload}`, fn] as const));
}

/** The nodes of a function for one call: attributes that refer to the call's are these, or their defaults, or left out. */
export function nodesForCall(fn: proto.onnxFunctionProto, call: proto.onnxNodeProto): proto.onnxNodeProto[] {
  const given = new Map(
    [...fn.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute] as const),
  );
  return fn.node.map((node) => withAttributes(node, given));
}

function withAttributes(
  node: proto.onnxNodeProto,
  given: ReadonlyMap<string, proto.onnxAttributeProto>,
): proto.onnxNodeProto {
  const attribute = node.attribute.flatMap((own): proto.onnxAttributeProto[] => {
    if (own.refAttrName !== '') {
      const value = given.get(own.refAttrName);
      return value === undefined ? [] : [{ ...value, name: own.name }];
    }
    if (own.g === undefined) return [own];
    return [{ ...own, g: { ...own.g, node: own.g.node.map((inner) => withAttributes(inner, given)) } }];
  });
  return { ...node, attribute };
}

/** Fills in what a message to write may leave out, so that it can be read like one from a file. */
import { emptyMessage } from './decode.js';
import { UNKNOWN_FIELDS, type AnyMessage, type Init } from './message.js';
import type { MessageTypes } from './messages.js';
import { messageSpec, type FieldSpec, type MessageSpec } from './spec.js';

/** `message` with all defaults filled in, at every depth. Bytes and lists of numbers are referred to, not copied. */
export function complete<K extends keyof MessageTypes>(
  type: K,
  message: Init<MessageTypes[K]>,
): MessageTypes[K] {
  return completeMessage(messageSpec(type), message as AnyMessage) as object as MessageTypes[K];
}

function completeMessage(spec: MessageSpec, message: AnyMessage): AnyMessage {
  const whole = emptyMessage(spec);
  for (const field of spec.fields) {
    const value = message[field.key];
    if (value !== undefined && value !== null) whole[field.key] = completeField(field, value);
  }
  const unknown = message[UNKNOWN_FIELDS];
  if (unknown !== undefined) whole[UNKNOWN_FIELDS] = unknown;
  return whole;
}

function completeField(field: FieldSpec, value: unknown): unknown {
  if (field.map !== undefined) {
    const { value: item } = field.map;
    if (item.type !== 'message') return value;
    const spec = messageSpec(item.typeName);
    return new Map(
      [...(value as ReadonlyMap<unknown, AnyMessage>)].map(([key, entry]) => [
        key,
        completeMessage(spec, entry),
      ]),
    );
  }
  if (field.type !== 'message') return value;
  const spec = messageSpec(field.typeName);
  if (!field.repeated) return completeMessage(spec, value as AnyMessage);
  return (value as readonly AnyMessage[]).map((item) => completeMessage(spec, item));
}

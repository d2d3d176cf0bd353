/** Protobuf messages of TensorFlow's files: types, binary, text and JSON forms. */
export { complete } from './complete.js';
export { canDecode, create, decode } from './decode.js';
export { encode, encodedSize, MAX_MESSAGE_BYTES } from './encode.js';
export { fromJson, toJson, type Json } from './json.js';
export { UNKNOWN_FIELDS, type Init, type Message } from './message.js';
export type * from './messages.js';
export { enumName, enumValues } from './spec.js';
export { toText } from './textFormat.js';
export { fromText } from './textParse.js';

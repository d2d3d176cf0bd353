/** Runs the real protobuf compiler where it is installed (Debian `protobuf-compiler`). */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const PROTO_DIR = path.join(ROOT, 'proto');

/** Every file below proto/, relative to it. */
export function protoFiles(): string[] {
  return readdirSync(PROTO_DIR, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.proto'),
  );
}

export const hasProtoc = spawnSync('protoc', ['--version']).status === 0;

/** `protoc --decode=tensorflow.<type>`: the text form as protobuf itself prints it. */
export function protocDecode(type: string, bytes: Uint8Array): string {
  return execFileSync('protoc', [`-I${PROTO_DIR}`, `--decode=tensorflow.${type}`, ...protoFiles()], {
    input: bytes,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
}

/** `protoc --encode=tensorflow.<type>`: bytes of a text form. */
export function protocEncode(type: string, text: string): Uint8Array {
  const args = [`-I${PROTO_DIR}`, '--deterministic_output', `--encode=tensorflow.${type}`, ...protoFiles()];
  return Uint8Array.from(execFileSync('protoc', args, { input: text, maxBuffer: 2 ** 28 }));
}

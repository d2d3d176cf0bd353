/** The text file `checkpoint` that lists the checkpoints of a directory, newest last. */
import type { CheckpointState } from '../proto/messages.js';
import type { Init } from '../proto/message.js';
import { toText } from '../proto/textFormat.js';
import { fromText } from '../proto/textParse.js';

/** Name of the file, when nothing else is asked for. */
export const CHECKPOINT_STATE_FILE = 'checkpoint';

/** The file's text. Paths are written as given; relative ones are meant relative to the directory. */
export function writeCheckpointState(state: Init<CheckpointState>): string {
  return toText('CheckpointState', state);
}

/** Reads the file. Throws `InvalidArgumentError` with line and column when it is malformed. */
export function readCheckpointState(text: string): CheckpointState {
  return fromText('CheckpointState', text);
}

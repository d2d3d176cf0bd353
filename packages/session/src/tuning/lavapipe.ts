/** Measured on Mesa's lavapipe with subgroups of 8 (`forerun tune`): the candidate by signature. */
export const LAVAPIPE: ReadonlyMap<string, string> = new Map();

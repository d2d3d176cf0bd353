/** What decisions about fusion go by. */

/** A dispatch costs about as much as moving these many bytes. */
export const DISPATCH_BYTES = 1 << 17;
/** A step of an elementwise program costs about as much as moving these many bytes of an element. */
export const STEP_BYTES = 1;
/** What moves more bytes is worth a dispatch of its own, and should not wait for others. */
export const MOST_PACKED_BYTES = 1 << 16;
/** Units that share a dispatch. */
export const MOST_PARTS = 16;

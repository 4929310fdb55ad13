/** One message of a client: a turn with some pictures in data URLs. The real server takes 16 MiB in each frame, and any number of those. */
export const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;
/** Bytes waiting for one client; over it the client is ended. A long thread read whole is a few megabytes. */
export const BUFFERED_MAX_BYTES = 64 * 1024 * 1024;
/** Above it no more requests of that client are taken until it has read. */
export const PAUSE_ABOVE_BYTES = 4 * 1024 * 1024;
/** Clients of one listener; far above use, below the usual limit of open files. */
export const CONNECTIONS_MAX = 256;

/** The product's own version: hello, --version, discovery record; bumped with package.json (a test compares them). */
export const VERSION = "0.1.0";

/** Gateway protocol versions this build speaks, both ends included (contracts.md 3). */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;

/** Said in the hello and enforced by the gateway. Sizes in bytes. */
export const LIMITS = {
	/** One text frame or request body: a 1 MiB prompt with room for JSON escapes. */
	frame_bytes: 4 * 1024 * 1024,
	/** Before the hello a peer gets no more than this (openclaw's pre-connect cap). */
	first_frame_bytes: 64 * 1024,
	/** Bytes waiting for one client's socket; over it the client is a slow consumer and is closed with 1013. */
	buffered_bytes: 8 * 1024 * 1024,
	/** Messages waiting for one client. */
	queue_length: 10_000,
	/** Requests of one connection under way at once; the next gets BUSY. */
	concurrent_requests: 64,
	/** Topics one connection may hold. */
	subscriptions: 256,
	/** JSON nesting. */
	depth: 64,
} as const;

/** A client has this long for its first frame (contracts.md 3). */
export const HELLO_TIMEOUT_MS = 5_000;
/** Ping both ways; two missed pongs close (contracts.md 3). */
export const PING_INTERVAL_MS = 15_000;
/** A repeated (identity, method, key) returns the first result this long (contracts.md 3). */
export const IDEMPOTENCY_TTL_MS = 24 * 60 * 60 * 1000;
/** Where the gateway listens when nothing was configured (contracts.md 2). */
export const DEFAULT_PORT = 9800;

/** WebSocket close codes of ours; 1013 is RFC 6455's "try again later". */
export const CLOSE_CODE = {
	rejected: 4001,
	pongMissed: 4000,
	slowConsumer: 1013,
	policy: 1008,
	goingAway: 1001,
} as const;

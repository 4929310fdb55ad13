interface ErrorRow {
	/** JSON-RPC style number on the gateway wire; unique per code. */
	wire: number;
	/** Process exit code of the command line (contracts.md section 1). */
	exit: number;
	/** HTTP status where the error leaves by HTTP. */
	http: number;
	/** True when the same request may succeed later without a change. */
	retryable: boolean;
	summary: string;
	remedy: string;
}

type RowCells = readonly [
	wire: number,
	exit: number,
	http: number,
	retryable: boolean,
	summary: string,
	remedy: string,
];

function row(...[wire, exit, http, retryable, summary, remedy]: RowCells): ErrorRow {
	return { wire, exit, http, retryable, summary, remedy };
}

/** Every error of the product, once: code → numbers, wording, remedy. docs/reference/errors.md is generated from it. */
// biome-ignore format: a table reads by its rows
export const ERROR_TABLE = {
	USAGE: row(-32602, 64, 400, false, "The command line was not understood.", "Run the command with --help."),
	INVALID_PARAMS: row(-32010, 64, 400, false, "The request's parameters are not valid.", "Compare them with `weave-codex api schema METHOD`."),
	METHOD_NOT_FOUND: row(-32601, 64, 404, false, "There is no such method.", "List the methods with `weave-codex api schema`."),
	TOPIC_NOT_FOUND: row(-32011, 64, 404, false, "There is no such topic.", "List the topics with `weave-codex api schema`."),
	PROTOCOL_INVALID_FRAME: row(-32700, 76, 400, false, "A frame was not valid.", "Check the client's version; see docs/reference/protocol.md."),
	PROTOCOL_LIMIT: row(-32012, 76, 413, false, "A size limit was exceeded.", "Send less at once; the limits are in the hello."),
	PROTOCOL_VERSION: row(-32013, 76, 426, false, "No common protocol version.", "Update the older side, then restart the daemon with `weave-codex restart`."),
	PROTOCOL_OUT_OF_ORDER: row(-32014, 76, 400, false, "A frame came at the wrong time.", "Send hello first, once."),
	AUTH_REQUIRED: row(-32020, 77, 401, false, "Credentials are missing or wrong.", "Send the token of $HOMIE_HOME/token as a bearer."),
	AUTH_ORIGIN: row(-32021, 77, 403, false, "The Host or Origin is not allowed.", "Connect by a loopback name, from the daemon's own page."),
	AUTH_RATE_LIMITED: row(-32022, 77, 429, true, "Too many failed attempts.", "Wait a minute, then try with the right token."),
	PERMISSION_DENIED: row(-32023, 77, 403, false, "The client has no grant for this.", "Ask the owner for the scope named in the message."),
	NOT_FOUND: row(-32030, 66, 404, false, "There is no such thing.", "List what exists and try again."),
	THREAD_NOT_FOUND: row(-32031, 66, 404, false, "There is no such thread.", "List the threads with `weave-codex chat list`."),
	TERMINAL_NOT_FOUND: row(-32032, 66, 404, false, "There is no such terminal.", "List the terminals with `homie ls`."),
	SESSION_NOT_FOUND: row(-32033, 66, 404, false, "There is no such session.", "List the sessions with `weave-codex session list`."),
	AGENT_NOT_FOUND: row(-32034, 66, 404, false, "There is no such agent.", "List the agents with `weave-codex agent list`."),
	TURN_NOT_FOUND: row(-32095, 66, 404, false, "There is no such turn.", "Read the thread's turns with `weave-codex chat read`."),
	QUESTION_NOT_FOUND: row(-32096, 66, 404, false, "There is no such open question.", "List what waits with `weave-codex chat questions`."),
	BUDGET_EXCEEDED: row(-32097, 75, 429, false, "A budget is used up.", "Raise it with `weave-codex config set budget...`, or wait until it starts anew."),
	APPROVAL_NOT_FOUND: row(-32035, 66, 404, false, "There is no such approval.", "List what waits with `weave-codex chat approvals`."),
	MACHINE_NOT_FOUND: row(-32036, 66, 404, false, "There is no such machine.", "List the machines with `homie machines`."),
	CONFLICT: row(-32040, 75, 409, false, "The change conflicts with the present state.", "Read the present state and decide again."),
	AGENT_NAME_TAKEN: row(-32041, 75, 409, false, "That agent name is taken in this session.", "Take the free name that the message proposes."),
	APPROVAL_ALREADY_RESOLVED: row(-32042, 75, 409, false, "The approval was already answered.", "Nothing to do; see who answered in the message."),
	APPROVAL_EXPIRED: row(-32043, 75, 409, false, "The approval has expired.", "Continue the thread; it asks again if it still needs to."),
	APPROVAL_DIGEST_MISMATCH: row(-32044, 75, 409, false, "The answer was for something else than what is asked.", "Read the approval again and answer what it shows now."),
	TURN_NOT_ACTIVE: row(-32045, 75, 409, false, "No turn is running in this thread.", "Send a message to start one."),
	NOT_DRIVER: row(-32046, 75, 409, false, "Another client drives this terminal.", "Attach with --takeover to ask for control."),
	TERMINAL_CLOSED: row(-32047, 66, 410, false, "The terminal's program has ended.", "Start a new one with `homie new`."),
	IDEMPOTENCY_MISMATCH: row(-32048, 64, 409, false, "The idempotency key was used for another request.", "Use a new key for a new request."),
	BUSY: row(-32050, 75, 503, true, "Busy.", "Try again in a moment."),
	TIMEOUT: row(-32051, 75, 504, true, "It took too long.", "Try again; see `weave-codex doctor` if it stays so."),
	CANCELLED: row(-32052, 130, 499, false, "It was cancelled.", "Nothing to do."),
	MAILBOX_FULL: row(-32053, 75, 503, true, "The agent's mailbox is full.", "Wait until it has worked some mail off, or drop dead letters."),
	DAEMON_UNAVAILABLE: row(-32060, 69, 503, true, "The daemon is not running.", "Start it with `weave-codex start`."),
	DAEMON_VERSION_MISMATCH: row(-32061, 69, 503, false, "A daemon of another version is running.", "Restart it with `weave-codex restart`."),
	DAEMON_ALREADY_RUNNING: row(-32062, 75, 409, false, "A daemon already runs in this home.", "Use it, or stop it with `weave-codex stop`."),
	DAEMON_STOPPING: row(-32063, 69, 503, true, "The daemon is stopping.", "Try again when it has started."),
	PORT_IN_USE: row(-32064, 69, 503, false, "The configured port is taken.", "Choose another with `weave-codex start --port N`, or free it."),
	HOST_UNAVAILABLE: row(-32065, 69, 503, true, "The pty-host does not answer.", "See `weave-codex doctor`."),
	PROVIDER_UNAVAILABLE: row(-32066, 69, 502, true, "The model provider cannot be reached.", "Check the network and the provider's settings in config.toml."),
	PROVIDER_AUTH: row(-32067, 77, 502, false, "The model provider refused the login.", "Log in with `codex login`, or set the key that the provider names."),
	PROVIDER_FAILED: row(-32068, 1, 502, false, "The model provider failed.", "Read the message; the provider's status page may say more."),
	SANDBOX_UNAVAILABLE: row(-32069, 69, 503, false, "No sandbox is available on this machine.", "Install bubblewrap (`apt-get install bubblewrap`), or approve each command."),
	PTY_SPAWN_FAILED: row(-32070, 69, 500, false, "The program could not be started.", "Check the command and the folder."),
	TOOL_FAILED: row(-32071, 1, 500, false, "A tool failed.", "Read its output."),
	CONFIG_INVALID: row(-32080, 78, 500, false, "The configuration is not valid.", "Correct the file and line that the message names."),
	HOME_NOT_WRITABLE: row(-32081, 78, 500, false, "The home folder cannot be written.", "Give it to this user, or set HOMIE_HOME to another folder."),
	SOCKET_IN_USE: row(-32082, 69, 503, false, "A socket is held by a living process.", "Stop that process, or use another home."),
	STORAGE_FAILED: row(-32090, 74, 500, false, "The store failed.", "See `weave-codex doctor` and the log."),
	STORAGE_CORRUPT: row(-32091, 74, 500, false, "The database is damaged.", "It was set aside; see `weave-codex doctor` for where and how to recover."),
	STORAGE_FULL: row(-32092, 74, 507, true, "The disk is full.", "Free some space; nothing acknowledged was lost."),
	STORAGE_NEWER: row(-32093, 74, 500, false, "The database was written by a newer version.", "Run the newer version, or use another HOMIE_HOME."),
	INTERNAL: row(-32603, 70, 500, false, "An internal error happened.", "See `weave-codex logs`; please report it."),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

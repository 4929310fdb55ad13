/** What a handler learns of the connection that asks. */
export interface CodexConnection {
	/** Unique in this daemon. */
	readonly connectionId: string;
	/** For people: shown as "answered by" and in reasons. */
	readonly label: string;
	/** `clientInfo` and `capabilities` of `initialize`. */
	readonly client: { readonly name: string; readonly title: string | null; readonly version: string };
	readonly experimentalApi: boolean;
	/** Sends a notification to this connection alone, unless it opted out of it. */
	notify(method: string, params: unknown): void;
	/** Sends a server request to this connection alone. Rejects with CodexError when the client answers with an error or goes away. */
	request(method: string, params: unknown): Promise<unknown>;
	/** Sends a notification to every initialized connection. */
	broadcast(method: string, params: unknown): void;
	/** Runs when the connection closes; at once when it is closed already. */
	onClose(listener: () => void): Disposable;
	/** Runs right after the response of the request being handled has gone out. */
	afterResponse(action: () => void): void;
}

/** JSON object of a request; members are read by the handler's own zod schema. */
export type CodexParams = Readonly<Record<string, unknown>>;

/** Handler of one method: its resolved value is the `result`; a refusal is a thrown CodexError or AppError. */
export type CodexMethod = (params: CodexParams, connection: CodexConnection) => unknown;

/** Methods by name, for example "config/read". */
export type CodexMethods = Readonly<Record<string, CodexMethod>>;

/** Methods about the installation and not about a thread (daemon/codex/installation). */
export type InstallationMethods = CodexMethods;

export const INVALID_REQUEST = -32600;
export const INTERNAL_ERROR = -32603;

/** A refusal with the code and text that the client sees. */
export class CodexError extends Error {
	readonly code: number;
	readonly data: unknown;

	constructor(message: string, code: number = INVALID_REQUEST, data?: unknown) {
		super(message);
		this.name = "CodexError";
		this.code = code;
		this.data = data;
	}
}

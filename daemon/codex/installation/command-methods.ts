import type { Environment, RunningCommand, TerminalSize } from "#daemon/agent/environment.ts";
import type { SandboxMode } from "#protocol/record.ts";
import { type CodexConnection, CodexError, type CodexMethods } from "../method.ts";
import { sandboxPolicy } from "../params/shared.ts";
import { modeOfPolicy } from "../thread/sandbox-policy.ts";
import { boolean, type JsonObject, list, object, optional, string, struct, u32 } from "../wire/decode.ts";

/** Default bound of one stream; the real server's. */
const OUTPUT_CAP_BYTES = 1024 * 1024;
/** Default time; the real server's. */
const TIMEOUT_MS = 10_000;
const TIMEOUT_CODE = 124;
const KILL_GRACE_MS = 500;
const INVALID_PARAMS = -32602;

/** Of a terminal whose client names no size; the real server's. */
const DEFAULT_SIZE: TerminalSize = { rows: 24, cols: 80 };

const terminalSize = struct("CommandExecTerminalSize", { rows: u32, cols: u32 });
const execParams = struct("CommandExecParams", {
	command: list(string),
	processId: optional(string),
	tty: optional(boolean),
	streamStdin: optional(boolean),
	streamStdoutStderr: optional(boolean),
	outputBytesCap: optional(u32),
	disableOutputCap: optional(boolean),
	disableTimeout: optional(boolean),
	timeoutMs: optional(u32),
	cwd: optional(string),
	env: optional(object),
	size: optional(terminalSize),
	sandboxPolicy: optional(sandboxPolicy),
});
const processParams = struct("CommandExecTerminateParams", { processId: string });

const writeParams = struct("CommandExecWriteParams", {
	processId: string,
	deltaBase64: optional(string),
	closeStdin: optional(boolean),
});
const resizeParams = struct("CommandExecResizeParams", { processId: string, size: terminalSize });

export interface CommandPorts {
	readonly environment: Environment;
	/** Where a command without a folder of its own runs. */
	readonly cwd: string;
	/** What config.toml says of sandboxes. */
	sandboxMode(): SandboxMode;
}

/** Cuts a stream of texts at a number of bytes. */
function createCap(capBytes: number) {
	let left = capBytes;
	let kept = "";
	return {
		add(chunk: string): { text: string; capReached: boolean } {
			const bytes = Buffer.from(chunk);
			const text = bytes.length <= left ? chunk : bytes.subarray(0, left).toString();
			left = Math.max(0, left - bytes.length);
			kept += text;
			return { text, capReached: left === 0 };
		},
		get text() {
			return kept;
		},
	};
}

type Asked = ReturnType<typeof execParams.decode>;

function environmentOf(given: JsonObject | null): Record<string, string> {
	const entries = Object.entries(given ?? {});
	return Object.fromEntries(
		entries.flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
	);
}

function rootsOf(policy: Asked["sandboxPolicy"]): readonly string[] {
	const roots = policy?.["writableRoots"];
	return Array.isArray(roots) ? roots.filter((root) => typeof root === "string") : [];
}

/** A refusal of params that were understood. */
function wrong(message: string): CodexError {
	return new CodexError(message, INVALID_PARAMS);
}

function checkSize({ rows, cols }: TerminalSize): void {
	if (rows === 0 || cols === 0) throw wrong("command/exec size rows and cols must be greater than 0");
}

function decodeBase64(text: string): string {
	if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw wrong("invalid deltaBase64: not base64");
	return Buffer.from(text, "base64").toString();
}

function checkAsked({ command, processId, tty, streamStdin, streamStdoutStderr, size }: Asked): void {
	if (command.length === 0) throw new CodexError("command must not be empty");
	if (size !== null && tty !== true) throw wrong("command/exec size requires tty: true");
	if (size !== null) checkSize(size);
	if (processId === null && (tty || streamStdin || streamStdoutStderr))
		throw new CodexError("command/exec tty or streaming requires a client-supplied processId");
}

function capOf({ disableOutputCap, outputBytesCap }: Asked): number {
	return disableOutputCap ? Number.MAX_SAFE_INTEGER : (outputBytesCap ?? OUTPUT_CAP_BYTES);
}

/** Ends the command after its time; `reached` says that it was. */
function limitTime(asked: Asked, command: RunningCommand): Disposable & { readonly reached: boolean } {
	let reached = false;
	function end(): void {
		reached = true;
		command.kill(KILL_GRACE_MS);
	}
	const timer = asked.disableTimeout ? undefined : setTimeout(end, asked.timeoutMs ?? TIMEOUT_MS);
	return {
		get reached() {
			return reached;
		},
		[Symbol.dispose]: () => clearTimeout(timer),
	};
}

interface Held {
	readonly command: RunningCommand;
	readonly hasInput: boolean;
	readonly hasTerminal: boolean;
}

type Stream = "stdout" | "stderr";

/** Takes what a command prints, each stream up to the bound, and tells it where that was asked for. */
function follow(command: RunningCommand, asked: Asked, connection: CodexConnection) {
	const { processId } = asked;
	const streams = asked.tty === true || asked.streamStdoutStderr === true;
	const caps = { stdout: createCap(capOf(asked)), stderr: createCap(capOf(asked)) };
	const take = (stream: Stream) => (chunk: string) => {
		const { text, capReached } = caps[stream].add(chunk);
		if (!streams || text === "") return;
		const deltaBase64 = Buffer.from(text).toString("base64");
		connection.notify("command/exec/outputDelta", { processId, stream, deltaBase64, capReached });
	};
	const stack = new DisposableStack();
	stack.use(command.onOutput(take("stdout")));
	const errors = command.onErrorOutput?.(take("stderr"));
	if (errors !== undefined) stack.use(errors);
	return {
		text: (stream: Stream): string => (streams ? "" : caps[stream].text),
		[Symbol.dispose]: () => stack.dispose(),
	};
}

/** `command/exec`: a client's own command in the sandbox it names, outside of any thread. */
export function createCommandMethods({ environment, cwd, sandboxMode }: CommandPorts): CodexMethods {
	const running = new Map<string, Held>();

	function keyOf(processId: string, { connectionId }: CodexConnection): string {
		return `${connectionId} ${processId}`;
	}

	function find(processId: string, connection: CodexConnection): Held {
		const held = running.get(keyOf(processId, connection));
		if (!held) throw new CodexError(`no active command/exec for process id ${JSON.stringify(processId)}`);
		return held;
	}

	function start(asked: Asked): RunningCommand {
		const policy = asked.sandboxPolicy;
		return environment.exec({
			argv: asked.command,
			cwd: asked.cwd ?? cwd,
			env: environmentOf(asked.env),
			sandbox: policy === null ? sandboxMode() : modeOfPolicy(policy),
			networkAccess: policy?.["networkAccess"] === true,
			writableRoots: rootsOf(policy),
			...(asked.tty === true
				? { tty: true, size: asked.size ?? DEFAULT_SIZE }
				: { split: true, input: asked.streamStdin === true }),
		});
	}

	/** Holds the client's name for the command, and ends it when the client goes away. */
	function hold(asked: Asked, command: RunningCommand, connection: CodexConnection): Disposable {
		const key = asked.processId === null ? null : keyOf(asked.processId, connection);
		const hasTerminal = asked.tty === true;
		const held = { command, hasTerminal, hasInput: hasTerminal || asked.streamStdin === true };
		if (key !== null) running.set(key, held);
		const gone = connection.onClose(() => command.kill(KILL_GRACE_MS));
		return {
			[Symbol.dispose]() {
				gone[Symbol.dispose]();
				if (key !== null) running.delete(key);
			},
		};
	}

	async function exec(asked: Asked, connection: CodexConnection): Promise<JsonObject> {
		checkAsked(asked);
		const { processId } = asked;
		if (processId !== null && running.has(keyOf(processId, connection)))
			throw new CodexError(`duplicate active command/exec process id: ${JSON.stringify(processId)}`);
		const command = start(asked);
		using _held = hold(asked, command, connection);
		using printed = follow(command, asked, connection);
		using limit = limitTime(asked, command);
		const result = await command.done;
		if (result.startError !== null && command.pid === null)
			throw new CodexError(`exec failed: ${result.startError}`);
		const exitCode = limit.reached ? TIMEOUT_CODE : result.exitCode;
		return { exitCode, stdout: printed.text("stdout"), stderr: printed.text("stderr") };
	}

	return {
		"command/exec": (params, connection) => exec(execParams.decode(params), connection),
		"command/exec/terminate"(params, connection) {
			find(processParams.decode(params).processId, connection).command.kill(KILL_GRACE_MS);
			return {};
		},
		"command/exec/write"(params, connection) {
			const { processId, deltaBase64, closeStdin } = writeParams.decode(params);
			const { command, hasInput } = find(processId, connection);
			if (deltaBase64 === null && closeStdin !== true)
				throw wrong("command/exec/write requires deltaBase64 or closeStdin");
			if (!hasInput) throw new CodexError("stdin streaming is not enabled for this command/exec");
			if (deltaBase64 !== null) command.write?.(decodeBase64(deltaBase64));
			if (closeStdin === true) command.endInput?.();
			return {};
		},
		"command/exec/resize"(params, connection) {
			const { processId, size } = resizeParams.decode(params);
			const { command, hasTerminal } = find(processId, connection);
			checkSize(size);
			if (!hasTerminal) throw new CodexError("failed to resize PTY: process is not attached to a PTY");
			command.resize?.(size);
			return {};
		},
	};
}

import type { Environment, RunningCommand } from "#daemon/agent/environment.ts";
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
	size: optional(object),
	sandboxPolicy: optional(sandboxPolicy),
});
const processParams = struct("CommandExecTerminateParams", { processId: string });

const writeParams = struct("CommandExecWriteParams", { processId: string, deltaBase64: optional(string) });

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

function checkAsked({ command, processId, tty, streamStdin, streamStdoutStderr }: Asked): void {
	if (command.length === 0) throw new CodexError("command must not be empty");
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

/** `command/exec`: a client's own command in the sandbox it names, outside of any thread. */
export function createCommandMethods({ environment, cwd, sandboxMode }: CommandPorts): CodexMethods {
	const running = new Map<string, RunningCommand>();

	function keyOf(processId: string, { connectionId }: CodexConnection): string {
		return `${connectionId} ${processId}`;
	}

	function find(processId: string, connection: CodexConnection): RunningCommand {
		const command = running.get(keyOf(processId, connection));
		if (!command) throw new CodexError(`no active command/exec for process id ${JSON.stringify(processId)}`);
		return command;
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
			...(asked.tty === true || asked.streamStdin === true ? { tty: true } : {}),
		});
	}

	/** Holds the client's name for the command, and ends it when the client goes away. */
	function hold(processId: string | null, command: RunningCommand, connection: CodexConnection): Disposable {
		const key = processId === null ? null : keyOf(processId, connection);
		if (key !== null) running.set(key, command);
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
		using _held = hold(processId, command, connection);
		const streams = asked.tty === true || asked.streamStdoutStderr === true;
		const cap = createCap(capOf(asked));
		using _output = command.onOutput((chunk) => {
			const { text, capReached } = cap.add(chunk);
			if (!streams || text === "") return;
			const deltaBase64 = Buffer.from(text).toString("base64");
			connection.notify("command/exec/outputDelta", { processId, stream: "stdout", deltaBase64, capReached });
		});
		using limit = limitTime(asked, command);
		const result = await command.done;
		if (result.startError !== null && command.pid === null)
			throw new CodexError(`exec failed: ${result.startError}`);
		const exitCode = limit.reached ? TIMEOUT_CODE : result.exitCode;
		return { exitCode, stdout: streams ? "" : cap.text, stderr: "" };
	}

	return {
		"command/exec": (params, connection) => exec(execParams.decode(params), connection),
		"command/exec/terminate"(params, connection) {
			find(processParams.decode(params).processId, connection).kill(KILL_GRACE_MS);
			return {};
		},
		"command/exec/write"(params, connection) {
			const { processId, deltaBase64 } = writeParams.decode(params);
			const command = find(processId, connection);
			if (!command.write) throw new CodexError("stdin streaming is not enabled for this command/exec");
			command.write(Buffer.from(deltaBase64 ?? "", "base64").toString());
			return {};
		},
		"command/exec/resize"(params, connection) {
			find(processParams.decode(params).processId, connection);
			throw new CodexError("command/exec is not a tty");
		},
	};
}

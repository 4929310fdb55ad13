import { AppError, toAppError } from "#base/app-error.ts";
import { type AttachMode, readInt, readObject, readText, readTexts } from "#client/attach/host-message.ts";
import { createLiveTerminal, type LiveTerminal } from "./host-terminal.ts";
import type { ScreenPool } from "./screen-pool.ts";

/** The right to attach once, as the daemon granted it. */
export interface Ticket {
	terminalId: string;
	mode: AttachMode;
	takeover: boolean;
	client: string;
	device: string;
}

interface ControlPorts {
	terminals: Map<string, LiveTerminal>;
	screens: ScreenPool;
	nowMs(): number;
	broadcast(terminal: LiveTerminal): void;
	issueTicket(ticket: Ticket): string;
}

type Params = Record<string, unknown>;
type Reply = { id: number; result: unknown } | { id: number; error: { code: string; message: string } };

/** Answers a daemon's requests (docs/reference/pty-host.md); a refusal is a reply, never a throw. */
export function createHostControl({ terminals, screens, nowMs, broadcast, issueTicket }: ControlPorts) {
	function find(params: Params): LiveTerminal {
		const terminal = terminals.get(readText(params, "terminal_id"));
		if (!terminal) throw new AppError("TERMINAL_NOT_FOUND");
		return terminal;
	}
	function start(params: Params): LiveTerminal {
		const terminalId = readText(params, "terminal_id");
		// Asked again after a lost answer: the terminal is there, a second one must not be.
		const present = terminals.get(terminalId);
		if (present) return present;
		const env = readObject(params, "env");
		const terminal = createLiveTerminal(
			{
				terminalId,
				name: readText(params, "name"),
				argv: readTexts(params, "argv"),
				cwd: readText(params, "cwd"),
				env: Object.fromEntries(Object.keys(env).map((key) => [key, readText(env, key)])),
				cols: readInt(params, "cols"),
				rows: readInt(params, "rows"),
				createdBy: readText(params, "created_by"),
				createdAtMs: readInt(params, "created_at_ms"),
			},
			{ screens, nowMs, onChange: broadcast },
		);
		terminals.set(terminalId, terminal);
		return terminal;
	}
	function forget(params: Params): void {
		const terminal = terminals.get(readText(params, "terminal_id"));
		if (!terminal || terminal.record().status === "running") return;
		terminal.dispose();
		terminals.delete(terminal.record().terminal_id);
	}
	const operations: Readonly<Record<string, (params: Params) => unknown>> = {
		ping: () => ({}),
		list: () => ({ terminals: [...terminals.values()].map((terminal) => terminal.record()) }),
		start: (params) => ({ terminal: start(params).record() }),
		ticket: (params) => {
			find(params);
			return {
				ticket: issueTicket({
					terminalId: readText(params, "terminal_id"),
					mode: params["mode"] === "drive" ? "drive" : "watch",
					takeover: params["takeover"] === true,
					client: readText(params, "client"),
					device: readText(params, "device"),
				}),
			};
		},
		input: (params) => {
			find(params).input(readText(params, "client"), Buffer.from(readText(params, "data")));
			return {};
		},
		resize: (params) => {
			const terminal = find(params);
			terminal.resize(readText(params, "client"), readInt(params, "cols"), readInt(params, "rows"));
			return { terminal: terminal.record() };
		},
		rename: (params) => {
			const terminal = find(params);
			terminal.rename(readText(params, "name"));
			return { terminal: terminal.record() };
		},
		kill: (params) => {
			const terminal = find(params);
			terminal.kill();
			return { terminal: terminal.record() };
		},
		lines: (params) => find(params).lines(),
		forget: (params) => {
			forget(params);
			return {};
		},
	};
	return {
		async answer(request: Params): Promise<Reply> {
			const id = readInt(request, "id");
			try {
				const op = readText(request, "op");
				const operation = Object.hasOwn(operations, op) ? operations[op] : undefined;
				if (!operation) throw new AppError("METHOD_NOT_FOUND", `The pty-host knows no operation ${op}.`);
				return { id, result: await operation(request) };
			} catch (thrown) {
				const error = toAppError(thrown);
				return { id, error: { code: error.code, message: error.message } };
			}
		},
	};
}

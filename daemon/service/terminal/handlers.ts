import { accessSync, constants } from "node:fs";
import { AppError } from "#base/app-error.ts";
import type { NewId } from "#base/id.ts";
import { type HostTerminal, parseHostTerminal, readObject, readText } from "#client/attach/host-message.ts";
import type { Paths } from "#platform/paths.ts";
import type { Terminal } from "#protocol/record.ts";
import type { MethodName, MethodParams, MethodResult } from "#protocol/service/index.ts";
import type { CallContext, Handlers } from "../../gateway/handler.ts";
import type { HostLink } from "../../pty/host-link.ts";
import {
	allowedClientEnvironment,
	defaultName,
	loginShell,
	terminalEnvironment,
} from "../../pty/terminal-environment.ts";
import type { TerminalTable } from "../../pty/terminal-table.ts";
import {
	type TerminalIntent,
	terminalIntend,
	terminalRename,
	terminalRunning,
	terminalTyped,
} from "../../storage/repository/terminal.ts";
import type { Store } from "../../storage/store.ts";
import type { FaultPoint, Telemetry } from "../../telemetry/port.ts";
import { attachChannel, type ChannelAttach } from "./channel-attach.ts";

export type TerminalMethod = Extract<MethodName, `terminal.session.${string}`>;
export type TerminalHandlers = Handlers<TerminalMethod>;

export interface TerminalHandlerDeps {
	paths: Pick<Paths, "home" | "ptySocket">;
	store: Store;
	telemetry: Telemetry;
	newId: NewId;
	env: Readonly<Record<string, string | undefined>>;
	machineId: string;
	fault: FaultPoint;
	link: HostLink;
	table: TerminalTable;
}

function isRunnable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** All of `terminal.session.*`; thin: the host decides, the store remembers. */
export function createTerminalHandlers(deps: TerminalHandlerDeps): TerminalHandlers {
	const { link, table, store } = deps;
	const channels = new Map<string, ChannelAttach>();
	const channelKey = (context: CallContext, channel: number): string =>
		`${context.caller.clientId} ${channel}`;

	function hostTerminal(reply: Record<string, unknown>): Terminal {
		const host: HostTerminal = parseHostTerminal(readObject(reply, "terminal"));
		return table.overlay(host, deps.machineId);
	}
	function ownChannel(context: CallContext, channel: number): ChannelAttach {
		const found = channels.get(channelKey(context, channel));
		if (!found) throw new AppError("NOT_FOUND", `This connection has no terminal channel ${channel}.`);
		return found;
	}
	return {
		"terminal.session.start": (params, context) => startTerminal(deps, params, context),
		"terminal.session.list": ({ all }) => ({ terminals: all ? table.all() : table.living() }),
		async "terminal.session.attach"(params, context) {
			const { result, attach } = await attachTerminal(deps, params, context);
			const { channel } = result;
			if (attach && channel !== null) {
				const key = channelKey(context, channel);
				channels.set(key, attach);
				context.connection?.channel(channel)?.onClose(() => void channels.delete(key));
			}
			return result;
		},
		"terminal.session.detach"({ channel }, context) {
			ownChannel(context, channel).close();
			return {};
		},
		async "terminal.session.input"({ terminal: ref, data }, context) {
			const terminal = table.resolve(ref);
			const result = { bytes: Buffer.byteLength(data) };
			if (context.idempotency) await store.write(terminalTyped, result, { idempotency: context.idempotency });
			await link
				.current()
				.request("input", { terminal_id: terminal.terminal_id, client: context.caller.clientId, data });
			return result;
		},
		async "terminal.session.resize"({ terminal: ref, cols, rows }, context) {
			const { terminal_id } = table.resolve(ref);
			return {
				terminal: hostTerminal(
					await link
						.current()
						.request("resize", { terminal_id, client: context.caller.clientId, cols, rows }),
				),
			};
		},
		"terminal.session.ack"({ channel, offset }, context) {
			ownChannel(context, channel).socket.ack(offset);
			return {};
		},
		async "terminal.session.preview"({ terminal: ref }) {
			const terminal = table.resolve(ref);
			const { lines, cursor } = await link.current().request("lines", { terminal_id: terminal.terminal_id });
			return { terminal, ...parsePreview(lines, cursor) };
		},
		async "terminal.session.kill"({ terminal: ref }) {
			const { terminal_id } = table.resolve(ref);
			return { terminal: hostTerminal(await link.current().request("kill", { terminal_id })) };
		},
		async "terminal.session.rename"({ terminal: ref, name }, context) {
			const { terminal_id } = table.resolve(ref);
			await store.write(terminalRename, { terminal_id, name }, { idempotency: context.idempotency });
			return { terminal: hostTerminal(await link.current().request("rename", { terminal_id, name })) };
		},
	};
}

function parsePreview(
	lines: unknown,
	cursor: unknown,
): { lines: string[]; cursor: { x: number; y: number } } {
	if (!Array.isArray(lines) || typeof cursor !== "object" || cursor === null)
		throw new AppError("HOST_UNAVAILABLE", "The pty-host's answer was not understood.");
	const { x, y } = cursor as Record<string, unknown>;
	return { lines: lines.map(String), cursor: { x: Number(x), y: Number(y) } };
}

async function startTerminal(
	deps: TerminalHandlerDeps,
	params: MethodParams<"terminal.session.start">,
	context: CallContext,
): Promise<MethodResult<"terminal.session.start">> {
	const { store, table, fault } = deps;
	const terminalId = deps.newId();
	const clientEnv = allowedClientEnvironment(params.env ?? {});
	const argv = params.argv ?? loginShell({ ...deps.env, ...clientEnv }, isRunnable);
	const intent: TerminalIntent = {
		terminal_id: terminalId,
		name: params.name ?? null,
		default_name: defaultName(argv),
		argv,
		cwd: params.cwd ?? deps.env["HOME"] ?? "/",
		env: clientEnv,
		cols: params.cols,
		rows: params.rows,
		machine_id: deps.machineId,
		created_by: context.caller.label,
	};
	const { terminal } = await store.write(terminalIntend, intent, { idempotency: context.idempotency });
	// Another id: the key was used before, and this is what that call started.
	if (terminal.terminal_id !== terminalId) return { terminal: table.get(terminal.terminal_id) ?? terminal };
	fault("terminal.after-intent");
	try {
		const host = await deps.link.ensure();
		const reply = await host.request("start", {
			...intent,
			name: terminal.name,
			env: terminalEnvironment(deps.env, clientEnv, terminalId),
			created_at_ms: terminal.created_at_ms,
		});
		fault("terminal.after-spawn");
		const shown = table.overlay(parseHostTerminal(readObject(reply, "terminal")), deps.machineId);
		await store.write(terminalRunning, intent);
		deps.telemetry.count("terminal_started");
		return { terminal: shown };
	} catch (error) {
		const reason = error instanceof AppError ? error.message : "The start failed.";
		await table.end({ terminal_id: terminalId, status: "lost", exit_code: null, signal: null, reason });
		throw error;
	}
}

interface Attached {
	result: MethodResult<"terminal.session.attach">;
	attach: ChannelAttach | undefined;
}

async function attachTerminal(
	deps: TerminalHandlerDeps,
	params: MethodParams<"terminal.session.attach">,
	context: CallContext,
): Promise<Attached> {
	const { caller, connection } = context;
	const terminal = deps.table.attachable(params.terminal);
	if (params.mode === "drive" && !context.allows("terminal.write", `terminal:${terminal.terminal_id}`)) {
		throw new AppError(
			"PERMISSION_DENIED",
			"Driving a terminal needs terminal.write; attach with mode watch.",
		);
	}
	if (params.via === "ticket" && caller.transport === "tcp") {
		throw new AppError(
			"PERMISSION_DENIED",
			"Tickets are for clients on this machine's own socket; attach by channel.",
		);
	}
	const host = deps.link.current();
	const reply = await host.request("ticket", {
		terminal_id: terminal.terminal_id,
		mode: params.mode,
		takeover: params.takeover,
		client: caller.clientId,
		device: caller.label,
	});
	const ticket = readText(reply, "ticket");
	const mode = params.mode === "drive" && (terminal.driver === null || params.takeover) ? "drive" : "watch";
	if (params.via === "ticket") {
		return {
			result: { terminal, mode, channel: null, ticket, socket_path: deps.paths.ptySocket },
			attach: undefined,
		};
	}
	if (!connection) throw new AppError("INVALID_PARAMS", "A channel needs a /ws connection.");
	const channel = connection.openChannel();
	try {
		const size =
			params.cols !== undefined && params.rows !== undefined
				? { cols: params.cols, rows: params.rows }
				: undefined;
		const attach = await attachChannel({
			channel,
			socketPath: deps.paths.ptySocket,
			ticket,
			size,
			fromOffset: params.from_offset,
		});
		return {
			result: {
				terminal: deps.table.get(terminal.terminal_id) ?? terminal,
				mode,
				channel: channel.id,
				ticket: null,
				socket_path: null,
			},
			attach,
		};
	} catch (error) {
		channel.close();
		throw error;
	}
}

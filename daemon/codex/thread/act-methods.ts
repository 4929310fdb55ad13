import { AppError } from "#base/app-error.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { CommandExecutionItem } from "#protocol/codex-item.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { threadInject, threadRevert, threadShell, threadTerminal } from "../params/thread.ts";
import { interruptRunning } from "../turn/turn-methods.ts";
import { isObject } from "../wire/decode.ts";
import { itemsCursor, turnsCursor } from "./cursor.ts";
import type { LiveThread } from "./live-thread.ts";

function readModelItem(value: unknown, index: number): ModelItem {
	const invalid = (why: string) => new CodexError(`items[${index}] is not a valid response item: ${why}`);
	if (!isObject(value)) throw invalid("invalid type, expected a map");
	const { type } = value;
	if (type === undefined) throw invalid("missing field `type`");
	if (typeof type !== "string") throw invalid("invalid type, expected a string");
	return { ...value, type };
}

export function createActMethods(office: Office): Methods {
	const { desk, ports } = office;
	const { runner } = ports;

	async function busyText<T>(work: Promise<T>, text: string): Promise<T> {
		try {
			return await work;
		} catch (error) {
			if (error instanceof AppError && error.code === "BUSY") throw new CodexError(text);
			throw error;
		}
	}

	async function compact(params: unknown, request: Request) {
		const { threadId } = threadRef.decode(params);
		const { live } = office.requireLoaded(threadId);
		office.answerFirst(request, threadId);
		await interruptRunning(office, live, request);
		await busyText(runner.compact({ thread_id: threadId }, callOf(request.peer)), "a turn is in progress");
		return {};
	}

	async function shellCommand(params: unknown, request: Request) {
		const { threadId, command } = threadShell.decode(params);
		if (command.trim() === "") throw new CodexError("command must not be empty");
		office.requireLoaded(threadId);
		office.answerFirst(request, threadId);
		await runner.shellCommand({ thread_id: threadId, command }, callOf(request.peer));
		return {};
	}

	async function injectItems(params: unknown, request: Request) {
		const { threadId, items } = threadInject.decode(params);
		office.requireLoaded(threadId);
		if (items.length === 0) throw new CodexError("items must not be empty");
		await runner.injectItems({ thread_id: threadId, items: items.map(readModelItem) }, callOf(request.peer));
		return {};
	}

	/** The reference loads a thread anew when its history is cut, and clients are told so. */
	function tellReverted(live: LiveThread, request: Request): void {
		const { threadId } = live;
		live.loaded = false;
		desk.tellStatus(live);
		live.loaded = true;
		desk.tellStatus(live);
		request.after(() => desk.tellAll("thread/reverted", { threadId }, threadId));
	}

	/** Takes back everything from a turn on. */
	async function revert(params: unknown, request: Request) {
		const { threadId, beforeTurnId } = threadRevert.decode(params);
		const { live } = office.requireLoaded(threadId);
		const turns = office.readTurns(threadId);
		const at = turns.findIndex((turn) => turn.turn_id === beforeTurnId);
		if (at < 0) throw new CodexError(`turn not found: ${beforeTurnId}`);
		const asked = { thread_id: threadId, turns: turns.length - at };
		const { thread } = await busyText(runner.rollback(asked, callOf(request.peer)), "a turn is in progress");
		tellReverted(live, request);
		const items = turns.slice(0, at).flatMap((turn) => turn.items);
		return {
			thread: office.show(thread),
			turnsBackwardsCursor: turnsCursor(threadId, at - 1, true),
			itemsBackwardsCursor: itemsCursor(threadId, items.length - 1, true),
		};
	}

	/** Commands that run on behind their turn. */
	function openCommands(threadId: string): (CommandExecutionItem & { processId: string })[] {
		const { live } = office.requireLoaded(threadId);
		return office
			.readTurns(threadId)
			.filter((turn) => turn.turn_id !== live.activeTurnId)
			.flatMap((turn) => turn.items)
			.flatMap((item) => {
				if (item.type !== "commandExecution" || item.status !== "inProgress") return [];
				return item.processId === null ? [] : [{ ...item, processId: item.processId }];
			});
	}

	return {
		"thread/compact/start": compact,
		"thread/shellCommand": shellCommand,
		"thread/inject_items": injectItems,
		"thread/revert": revert,
		"thread/backgroundTerminals/list"(params) {
			const { threadId } = threadRef.decode(params);
			const data = openCommands(threadId).map(({ id, processId, command, cwd }) => ({
				...{ itemId: id, processId, command, cwd },
				...{ osPid: null, cpuPercent: null, rssKb: null },
			}));
			return { data, nextCursor: null };
		},
		async "thread/backgroundTerminals/terminate"(params) {
			const { threadId, processId } = threadTerminal.decode(params);
			office.requireLoaded(threadId);
			const asked = { thread_id: threadId, process_id: processId };
			return { terminated: await runner.terminateProcess(asked) };
		},
		async "thread/backgroundTerminals/clean"(params) {
			const { threadId } = threadRef.decode(params);
			const open = openCommands(threadId);
			await Promise.all(
				open.map(({ processId }) => runner.terminateProcess({ thread_id: threadId, process_id: processId })),
			);
			return {};
		},
	};
}

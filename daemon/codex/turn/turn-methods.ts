import { AppError } from "#base/app-error.ts";
import type { ThreadPatch, TurnRequest } from "#daemon/agent/runner/runner.ts";
import type { UserInput } from "#protocol/codex-item.ts";
import type { Thread, TurnKind } from "#protocol/record.ts";
import { CodexError, INTERNAL_ERROR, INVALID_REQUEST } from "../method.ts";
import { callOf, type Methods, type Office, type Request } from "../office.ts";
import { turnInterrupt, turnStart, turnSteer } from "../params/turn.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import { changesThread, type Overrides, toPatch } from "../thread/patch.ts";
import { tellSettings } from "../thread/settings-methods.ts";
import { innerTurnId, viewNewTurn } from "../thread/turn-view.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";
import { warnOfUnknownModel } from "./model-warning.ts";

function isCode(error: unknown, code: AppError["code"]): boolean {
	return error instanceof AppError && error.code === code;
}

function schemaOf(value: unknown): { output_schema?: JsonObject } {
	return isObject(value) ? { output_schema: value } : {};
}

/** The turn runs from its commit on, whether or not its first event came already. */
export function markBegun(live: LiveThread, turnId: string): void {
	if (live.endedTurnId !== turnId) live.activeTurnId ??= turnId;
}

/** A task takes the place of the turn that runs: that one is interrupted first. */
export async function interruptRunning(office: Office, live: LiveThread, request: Request): Promise<void> {
	const { threadId, activeTurnId } = live;
	if (activeTurnId === null) return;
	try {
		const turn = { thread_id: threadId, turn_id: activeTurnId };
		await office.ports.runner.cancel(turn, callOf(request.peer), { replaced: true });
	} catch (error) {
		if (!isCode(error, "TURN_NOT_ACTIVE")) throw error;
	}
}

/** Turns that take no messages while they run. */
type Deaf = Extract<TurnKind, "review" | "compact">;

function refuseSteer(turnKind: Deaf): never {
	const message = `cannot steer a ${turnKind} turn`;
	const codexErrorInfo = { activeTurnNotSteerable: { turnKind } };
	const data = { message, codexErrorInfo, additionalDetails: null, misalignment: null };
	throw new CodexError(message, INVALID_REQUEST, data);
}

function refuseStart(turnKind: Deaf): never {
	const kind = turnKind === "review" ? "Review" : "Compact";
	const words = `failed to submit turn input: ActiveTurnNotSteerable { turn_kind: ${kind} }`;
	throw new CodexError(words, INTERNAL_ERROR);
}

export function createTurnMethods(office: Office): Methods {
	const { ports } = office;
	const { runner } = ports;

	function changed(thread: Thread, patch: ThreadPatch): ThreadPatch | undefined {
		return changesThread(thread, patch) ? patch : undefined;
	}

	/** What the running turn is for; undefined where none runs. */
	function activeKind(live: LiveThread): TurnKind | undefined {
		if (live.activeTurnId === null) return undefined;
		const turn = runner.readThread({ thread_id: live.threadId, limit: 1 }).turns.at(-1);
		return turn?.turn_id === live.activeTurnId ? turn.kind : undefined;
	}

	function deafTurn(live: LiveThread): Deaf | undefined {
		const kind = activeKind(live);
		return kind === "review" || kind === "compact" ? kind : undefined;
	}

	async function start(params: unknown, request: Request) {
		const said = turnStart.decode(params);
		const { threadId } = said;
		const { live, thread } = office.requireLoaded(threadId);
		const deaf = deafTurn(live);
		if (deaf !== undefined) refuseStart(deaf);
		const patch = changed(thread, toPatch(said as Overrides, thread.cwd));
		const asked: TurnRequest = {
			thread_id: threadId,
			input: said.input as readonly UserInput[],
			client_message_id: said.clientUserMessageId ?? undefined,
			patch,
			...schemaOf(said.outputSchema),
			when_busy: "steer",
		};
		const model = patch?.model ?? thread.model;
		if (live.activeTurnId === null) warnOfUnknownModel(office, live, { ...thread, model });
		office.answerFirst(request, threadId);
		const { turn_id, delivery } = await runner.startTurn(asked, callOf(request.peer));
		if (delivery === "started") markBegun(live, turn_id);
		const after = patch === undefined ? undefined : office.findThread(threadId);
		if (after !== undefined) tellSettings(office, after, request.peer);
		return { turn: viewNewTurn(turn_id) };
	}

	async function steer(params: unknown, request: Request) {
		const said = turnSteer.decode(params);
		const { threadId, expectedTurnId } = said;
		const { live } = office.requireLoaded(threadId);
		const active = live.activeTurnId;
		if (active === null) throw new CodexError("no active turn to steer");
		if (active !== expectedTurnId) {
			throw new CodexError(`expected active turn id \`${expectedTurnId}\` but found \`${active}\``);
		}
		if (said.input.length === 0) throw new CodexError("input must not be empty");
		const deaf = deafTurn(live);
		if (deaf !== undefined) refuseSteer(deaf);
		office.answerFirst(request, threadId);
		const asked: TurnRequest = {
			thread_id: threadId,
			input: said.input as readonly UserInput[],
			client_message_id: said.clientUserMessageId ?? undefined,
			when_busy: "steer",
			expected_turn_id: expectedTurnId,
		};
		try {
			const { turn_id } = await runner.startTurn(asked, callOf(request.peer));
			return { turnId: turn_id };
		} catch (error) {
			if (isCode(error, "TURN_NOT_ACTIVE")) throw new CodexError("no active turn to steer");
			throw error;
		}
	}

	async function interrupt(params: unknown, request: Request) {
		const { threadId, turnId } = turnInterrupt.decode(params);
		const { live } = office.requireLoaded(threadId);
		const active = live.activeTurnId;
		if (active === null) throw new CodexError("no active turn to interrupt");
		// A review runs as a turn within the one that was answered with; only that inner one is told as started.
		const shown = activeKind(live) === "review" ? innerTurnId(active) : active;
		if (turnId !== "" && turnId !== shown) {
			throw new CodexError(`expected active turn id ${turnId} but found ${shown}`);
		}
		office.answerFirst(request, threadId);
		try {
			await runner.cancel({ thread_id: threadId, turn_id: active }, callOf(request.peer));
		} catch (error) {
			if (isCode(error, "TURN_NOT_ACTIVE")) throw new CodexError("no active turn to interrupt");
			throw error;
		}
		return {};
	}

	return { "turn/start": start, "turn/steer": steer, "turn/interrupt": interrupt };
}

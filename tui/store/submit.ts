import { findCommand, suggestCommand } from "../command/index.ts";
import { clearAfterSend } from "../editor/editor.ts";
import { addEntry } from "../editor/history.ts";
import type { Action } from "./action.ts";
import { flushOutbox, openThread, resetSlot } from "./conversation.ts";
import { answerQuestion } from "./question.ts";
import { applySettings } from "./settings.ts";
import type { Outgoing, Panel, State } from "./state.ts";
import { only, type ReduceContext, remark, type Update } from "./update.ts";

function cleared(state: State): State {
	return {
		...state,
		editor: clearAfterSend(state.editor),
		history: addEntry(state.history, state.editor.text),
		popup: { selected: 0, closedFor: undefined },
	};
}

function submitMessage(
	state: State,
	text: string,
	whenBusy: "steer" | "queue",
	{ newId, isCommand = false }: Pick<ReduceContext, "newId"> & { isCommand?: boolean },
): Update {
	const entry: Outgoing = {
		clientMessageId: newId(),
		slotId: state.slot.id,
		text,
		whenBusy,
		state: "waiting",
		...(isCommand ? { isCommand } : {}),
	};
	return flushOutbox({ ...state, outbox: [...state.outbox, entry], hasConversation: true });
}

function openPanel(state: State, kind: Panel["kind"]): Update {
	const isAsked = kind === "threads" || kind === "models";
	const panel: Panel = { kind, selected: 0, filter: "", isLoading: isAsked, rows: [] };
	const next = { ...state, panel };
	if (kind === "threads") return only(next, { kind: "list_threads" });
	return kind === "models" ? only(next, { kind: "list_models" }) : only(next);
}

/** The actions that slash commands (and the start-up) return. */
export function reduceCommandAction(state: State, action: Action, context: ReduceContext): Update {
	switch (action.type) {
		case "panel_opened":
			return openPanel(state, action.kind);
		case "slot_reset":
			return resetSlot(state, context.newId());
		case "thread_opening":
			return openThread(state, action.threadId, context.newId());
		case "status_asked":
			return only(state, { kind: "read_status" });
		case "attach_asked":
			return only(state, { kind: "attach", terminal: action.terminal });
		case "exit_asked":
			return only({ ...state, isExiting: true }, { kind: "exit", code: action.code });
		case "task_wanted": {
			const { threadId } = state.slot;
			if (threadId === undefined)
				return only(
					remark(state, "there is no conversation yet to do that with", context.nowMs, "attention"),
				);
			const { task, text } = action;
			return only(state, { kind: "thread_task", threadId, task, text, id: context.newId() });
		}
		case "message_submitted":
			return submitMessage(state, action.text, action.whenBusy, context);
		case "mail_submitted":
			return only(
				{ ...state, hasConversation: true },
				{ kind: "send_mail", clientMessageId: context.newId(), to: action.to, text: action.text },
			);
		case "settings_wanted": {
			const update = applySettings(state, action);
			const told =
				action.model === undefined
					? update.state
					: remark(update.state, `model ${action.model} from the next turn on`, context.nowMs, "accent");
			return { state: told, effects: update.effects };
		}
		default:
			return only(state);
	}
}

function runSlash(state: State, text: string, context: ReduceContext): Update {
	const [, name = "", argument = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
	const command = findCommand(name);
	if (!command) {
		const near = suggestCommand(name);
		const hint = near === undefined ? "/help lists them" : `did you mean /${near}?`;
		return only(remark(state, `/${name} is no command; ${hint}`, context.nowMs, "attention"));
	}
	let next = cleared(state);
	const effects: Update["effects"][number][] = [];
	for (const action of command.run(argument.trim(), next)) {
		const update = reduceCommandAction(next, action, context);
		next = update.state;
		effects.push(...update.effects);
	}
	return { state: next, effects };
}

function runMail(state: State, text: string, context: ReduceContext): Update | undefined {
	const match = /^([#@])([\w.-]+)\s*([\s\S]*)$/.exec(text);
	if (!match) return undefined;
	const [, sign, to = "", body = ""] = match;
	const isKnown = state.agents.some((agent) => agent.name.toLowerCase() === to.toLowerCase());
	// `@` is for files too, and `# text` may be a heading: only a known name makes it mail.
	if (sign === "@" && !isKnown) return undefined;
	if (!isKnown && state.agents.length > 0) {
		return only(
			remark(state, `there is no agent named ${to}; /agents lists them`, context.nowMs, "attention"),
		);
	}
	if (body.trim() === "")
		return only(remark(state, `what should ${to} do? ${sign ?? "#"}${to} and the text`, context.nowMs));
	return reduceCommandAction(cleared(state), { type: "mail_submitted", to, text: body.trim() }, context);
}

/** Enter or Tab: a command, mail for another agent, or a message to this one. */
export function submitDraft(state: State, whenBusy: "steer" | "queue", context: ReduceContext): Update {
	const text = state.editor.text.trim();
	if (text === "") {
		const onEnter = state.notice?.onEnter;
		if (onEnter === undefined) return only(state);
		return submitMessage({ ...state, notice: undefined }, onEnter, whenBusy, context);
	}
	if (text.startsWith("/")) return runSlash(state, text, context);
	const answer = answerQuestion(cleared(state), text, context);
	if (answer)
		return answer.state.notice === state.notice
			? answer
			: { ...answer, state: { ...answer.state, editor: state.editor } };
	const mail = runMail(state, text, context);
	if (mail) return mail;
	const provider = state.thread?.provider ?? state.account?.provider;
	// The offline agent is the shell: what it runs is asked about like any agent's command.
	if (/^!\s*\S/.test(text) && provider !== undefined && provider !== "offline")
		return submitMessage(cleared(state), text, whenBusy, { newId: context.newId, isCommand: true });
	return submitMessage(cleared(state), text, whenBusy, context);
}

import { AppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Approval, Thread } from "#protocol/record.ts";
import type { CliContext } from "../descriptor.ts";
import { readStdin } from "./read-stdin.ts";

/** The words given, or stdin for `-` and for a pipe without words. @throws AppError USAGE when there is no text. */
export async function readPrompt(context: CliContext, words: readonly string[]): Promise<string> {
	const fromStdin = words.length === 1 && words[0] === "-";
	const piped = words.length === 0 && !context.stdin.isTTY;
	const text = fromStdin || piped ? await readStdin(context) : words.join(" ");
	if (text.trim() === "")
		throw new AppError("USAGE", "There is no text: give it as an argument, or `-` to read it from stdin.");
	return text;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/u;

/** A thread by id, by agent name (with or without `#`), or by the end of its id. @throws AppError THREAD_NOT_FOUND, USAGE when several match. */
export async function resolveThread(client: DaemonClient, ref: string): Promise<string> {
	if (UUID.test(ref)) return ref;
	const name = ref.replace(/^[#@]/u, "").toLowerCase();
	const pages = await Promise.all(
		[false, true].map((archived) => client.call("chat.list", { archived, limit: 1000 })),
	);
	const threads: Thread[] = pages.flatMap((page) => page.threads);
	const named = threads.filter((thread) => thread.agent_name.toLowerCase() === name);
	const matches =
		named.length > 0
			? named
			: threads.filter((thread) => name.length >= 4 && thread.thread_id.endsWith(name));
	const [only, second] = matches;
	if (only === undefined) throw new AppError("THREAD_NOT_FOUND", `There is no thread ${ref}.`);
	if (second !== undefined) throw new AppError("USAGE", `${ref} could mean several threads; give the id.`);
	return only.thread_id;
}

/** The approval with this id, or the one that waits. @throws AppError APPROVAL_NOT_FOUND; USAGE when several wait. */
export async function resolveApproval(client: DaemonClient, id: string | undefined): Promise<Approval> {
	const { approvals } = await client.call("chat.approval.list", { all: id !== undefined });
	if (id !== undefined) {
		const found = approvals.find((approval) => approval.approval_id === id);
		if (found === undefined) throw new AppError("APPROVAL_NOT_FOUND", `There is no approval ${id}.`);
		return found;
	}
	const [only, second] = approvals;
	if (only === undefined) throw new AppError("APPROVAL_NOT_FOUND", "No approval waits.");
	if (second !== undefined) {
		throw new AppError(
			"USAGE",
			`${approvals.length} approvals wait; give the id of one: ${approvals.map((entry) => entry.approval_id).join(" ")}`,
		);
	}
	return only;
}

/** What an approval asks, in lines for people. */
export function describeApproval(approval: Approval): string {
	const what =
		approval.kind === "command"
			? (approval.command ?? "")
			: (approval.changes ?? []).map((change) => change.path).join(", ");
	const warning =
		approval.destructive === null
			? ""
			: `  destructive: ${approval.destructive}; confirm with --confirm ${approval.confirm_word ?? ""}\n`;
	const reason = approval.reason === null ? "" : `  reason: ${approval.reason}\n`;
	return `${approval.approval_id}  #${approval.agent_name}  ${approval.kind}  ${approval.status}\n  ${what}\n  in ${approval.cwd}\n${reason}${warning}`;
}

import { AppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";
import type { WeaveMessage, WeaveSession } from "#protocol/record.ts";
import type { OptionDescriptor } from "../descriptor.ts";
import { type Options, textOption } from "./option-value.ts";

/** Taken by every weave command that acts in one session. */
export const SESSION_OPTION: OptionDescriptor = {
	flags: "--session <session>",
	summary: "id or name of the session; default: the one that always exists",
};

/** The member `session` for a call; left out, the daemon takes the default session. */
export function sessionParam(options: Options): { session?: string } {
	const session = textOption(options, "session");
	return session === undefined ? {} : { session };
}

/** The open session that is meant. @throws AppError SESSION_NOT_FOUND. */
export async function resolveOpenSession(client: DaemonClient, options: Options): Promise<WeaveSession> {
	const { sessions } = await client.call("weave.session.list", {});
	const wanted = sessionParam(options).session;
	const found =
		wanted === undefined
			? sessions.find((session) => session.session_id === "default")
			: (sessions.find((session) => session.session_id === wanted) ??
				sessions.find((session) => session.name.toLowerCase() === wanted.toLowerCase()));
	if (found === undefined)
		throw new AppError("SESSION_NOT_FOUND", `There is no open session ${wanted ?? "default"}.`);
	return found;
}

/** `#name text`: who it is for and what it says. @throws AppError USAGE. */
export function parseMention(line: string): { to: string; text: string } {
	const match = /^\s*[#@](\S+)\s+(\S[\s\S]*)$/u.exec(line);
	if (match === null) throw new AppError("USAGE", 'Say whom and what: weave-codex send "#agent text".');
	return { to: match[1] ?? "", text: match[2] ?? "" };
}

/** Makes a member's name usable as given with or without its `#`. */
export function agentRef(ref: string): string {
	return ref.replace(/^[#@]/u, "");
}

/** One line for people. */
export function describeMessage(message: WeaveMessage): string {
	const time = new Date(message.updated_at_ms).toISOString().slice(11, 19);
	const text = message.text.replaceAll(/\s+/gu, " ").trim();
	const short = text.length > 100 ? `${text.slice(0, 99)}…` : text;
	const reason = message.reason === null ? "" : ` (${message.reason})`;
	const answer =
		message.answer === null ? "" : `\n          = ${message.answer.replaceAll("\n", "\n            ")}`;
	return `${time}  #${message.from_name} → #${message.to_name}  ${message.state}${reason}  ${short}${answer}`;
}

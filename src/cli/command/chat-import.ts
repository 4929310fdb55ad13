import { resolve } from "node:path";
import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";

/** Reasons that are shown without being asked for. */
const SHOWN = 10;

export const chatImportCommand = defineCommand({
	program: "weave-codex",
	name: "chat import",
	summary: "Take over threads of the Codex CLI.",
	description:
		"The daemon looks through the Codex home by itself when it starts; this does it now, or takes one file from anywhere. Files stay as they are.",
	arguments: [{ name: "path", summary: "a rollout-*.jsonl", required: false, complete: "file" }],
	options: [{ flags: "--all", summary: "all files of the Codex home" }],
	examples: [
		{ command: "weave-codex chat import --all", says: "whatever is new in the Codex home" },
		{ command: "weave-codex chat import ./rollout-2026-11-20T10-00-00-ID.jsonl", says: "one thread" },
	],
	json: true,
	async run(context, { args: [path], options }) {
		const all = options["all"] === true;
		if (all === (path !== undefined))
			throw new AppError("USAGE", "Name a file, or say --all for those of the Codex home.");
		const client = await context.connect();
		const params = path === undefined ? {} : { path: resolve(context.cwd, path) };
		const result = await client.call("chat.import", params);
		if (result.thread !== null) {
			const lost = result.skipped_lines === 0 ? "" : `; ${result.skipped_lines} lines could not be read`;
			const { agent_name, thread_id, turn_count } = result.thread;
			context.print(result, `#${agent_name} (${thread_id}), turns: ${turn_count}${lost}.`);
			return 0;
		}
		for (const { path: file, reason } of result.skipped.slice(0, SHOWN)) context.say(`${file}: ${reason}`);
		const { files, added, updated, skipped_count } = result;
		context.print(result, `Files: ${files}; new: ${added}, changed: ${updated}, left out: ${skipped_count}.`);
		return 0;
	},
});

import { defineSlashCommand } from "./define.ts";

export const review = defineSlashCommand({
	name: "review",
	summary: "let the agent review changes, those not committed or as told",
	argument: "[what]",
	run: (text) => [{ type: "task_wanted", task: "review", text: text }],
});

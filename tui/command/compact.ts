import { defineSlashCommand } from "./define.ts";

export const compact = defineSlashCommand({
	name: "compact",
	summary: "summarise the conversation to make room",
	run: () => [{ type: "task_wanted", task: "compact", text: "" }],
});

import { defineSlashCommand } from "./define.ts";

export const fork = defineSlashCommand({
	name: "fork",
	summary: "go on in a copy of this conversation",
	run: () => [{ type: "task_wanted", task: "fork", text: "" }],
});

import { defineSlashCommand } from "./define.ts";

export const plan = defineSlashCommand({
	name: "plan",
	summary: "plan first, change nothing; again to leave",
	run: () => [{ type: "task_wanted", task: "plan", text: "" }],
});

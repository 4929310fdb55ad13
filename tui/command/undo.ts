import { defineSlashCommand } from "./define.ts";

export const undo = defineSlashCommand({
	name: "undo",
	summary: "take back the last turn; files stay as they are",
	run: () => [{ type: "task_wanted", task: "rollback", text: "" }],
});

import { defineSlashCommand } from "./define.ts";

export const resume = defineSlashCommand({
	name: "resume",
	summary: "go back to another conversation",
	run: () => [{ type: "panel_opened", kind: "threads" }],
});

import { defineSlashCommand } from "./define.ts";

export const agents = defineSlashCommand({
	name: "agents",
	summary: "who is there and what they do",
	run: () => [{ type: "panel_opened", kind: "agents" }],
});

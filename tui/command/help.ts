import { defineSlashCommand } from "./define.ts";

export const help = defineSlashCommand({
	name: "help",
	summary: "keys and commands",
	run: () => [{ type: "panel_opened", kind: "help" }],
});

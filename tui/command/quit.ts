import { defineSlashCommand } from "./define.ts";

export const quit = defineSlashCommand({
	name: "quit",
	summary: "leave; what runs goes on",
	aliases: ["exit"],
	run: () => [{ type: "exit_asked", code: 0 }],
});

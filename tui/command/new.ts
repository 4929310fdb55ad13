import { defineSlashCommand } from "./define.ts";

export const newThread = defineSlashCommand({
	name: "new",
	summary: "start a new conversation; this one is kept",
	aliases: ["clear"],
	run: () => [{ type: "slot_reset" }],
});

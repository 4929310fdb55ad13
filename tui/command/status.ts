import { defineSlashCommand } from "./define.ts";

export const status = defineSlashCommand({
	name: "status",
	summary: "this conversation, the daemon, the login",
	run: () => [{ type: "status_asked" }],
});

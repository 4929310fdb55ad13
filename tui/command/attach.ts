import { defineSlashCommand } from "./define.ts";

export const attach = defineSlashCommand({
	name: "attach",
	summary: "open a shell that outlives this window",
	argument: "[terminal]",
	run: (argument) => [{ type: "attach_asked", terminal: argument === "" ? undefined : argument }],
});

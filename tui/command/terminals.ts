import { defineSlashCommand } from "./define.ts";

export const terminals = defineSlashCommand({
	name: "terminals",
	summary: "shells that are open; enter attaches",
	run: () => [{ type: "panel_opened", kind: "terminals" }],
});

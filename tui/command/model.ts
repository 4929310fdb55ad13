import { defineSlashCommand } from "./define.ts";

export const model = defineSlashCommand({
	name: "model",
	summary: "choose the model",
	argument: "[name]",
	run: (argument) =>
		argument === ""
			? [{ type: "panel_opened", kind: "models" }]
			: [{ type: "settings_wanted", model: argument }],
});

import { defineCommand } from "../descriptor.ts";

export const logoutCommand = defineCommand({
	program: "weave-codex",
	name: "logout",
	summary: "Forget the login of the Codex home, and take it back at its issuer.",
	examples: [{ command: "weave-codex logout", says: "the Codex CLI is logged out too: it is the same file" }],
	json: true,
	async run(context) {
		const client = await context.connectOrStart();
		await client.call("chat.account.logout", {});
		context.print({ login: "none" }, "Logged out.");
		return 0;
	},
});

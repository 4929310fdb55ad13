import { defineCommand } from "../descriptor.ts";

export const accountCommand = defineCommand({
	program: "weave-codex",
	name: "account",
	summary: "Say which provider and login agents use, and where they come from.",
	examples: [{ command: "weave-codex account", says: "no secrets are shown" }],
	json: true,
	async run(context) {
		const client = await context.connectOrStart();
		const account = await client.call("chat.account.read", {});
		const { email, plan } = account as { email?: unknown; plan?: unknown };
		const who = [email, plan].filter((part) => typeof part === "string").join(", ");
		const lines = [
			`provider    ${account.provider}`,
			`model       ${account.model ?? "(none)"}`,
			`login       ${account.login}${who === "" ? "" : ` (${who})`}`,
			`codex home  ${account.codex_home}`,
			account.detail,
		];
		context.print(account, lines.join("\n"));
		return 0;
	},
});

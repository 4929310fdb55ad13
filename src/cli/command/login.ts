import { AppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";
import { readStdin } from "./read-stdin.ts";

/** One wait of a poll; the daemon answers sooner when the login ends. */
const POLL_WAIT_MS = 20_000;

async function apiKeyOf(context: CliContext): Promise<string> {
	if (context.stdin.isTTY) context.say("Paste the API key, then Enter and Ctrl+D.");
	const key = (await readStdin(context)).trim();
	if (key === "") throw new AppError("USAGE", "No API key came on stdin.");
	return key;
}

/** Waits until the person has finished elsewhere; a login that is left is cancelled. @throws AppError PROVIDER_AUTH. */
async function waitForLogin(client: DaemonClient, loginId: string, signal: AbortSignal): Promise<void> {
	try {
		for (;;) {
			const params = { login_id: loginId, wait_ms: POLL_WAIT_MS };
			const { state, error } = await client.call("chat.account.login.poll", params, { signal, timeoutMs: 0 });
			if (state === "completed") return;
			if (state === "failed") throw new AppError("PROVIDER_AUTH", error ?? "The login failed.");
		}
	} catch (error) {
		if (signal.aborted)
			await client.call("chat.account.login.cancel", { login_id: loginId }).catch(() => undefined);
		throw error;
	}
}

export const loginCommand = defineCommand({
	program: "weave-codex",
	name: "login",
	summary: "Log in: in the browser, with a code on another device, or with an API key.",
	description:
		"The login is kept in the Codex home (auth.json), shared with the Codex CLI. In the browser is the default; --device suits a machine without one.",
	options: [
		{ flags: "--device", summary: "show a code to enter on any device" },
		{ flags: "--api-key", summary: "read an API key from stdin" },
	],
	examples: [
		{ command: "weave-codex login", says: "prints the page to open, and waits" },
		{ command: "weave-codex login --device", says: "from a machine without a browser" },
		{
			command: "printenv OPENAI_API_KEY | weave-codex login --api-key",
			says: "the key never appears in the process list",
		},
	],
	json: true,
	async run(context, input) {
		const [device, apiKey] = [input.options["device"] === true, input.options["apiKey"] === true];
		if (device && apiKey) throw new AppError("USAGE", "Choose one of --device and --api-key.");
		const key = apiKey ? await apiKeyOf(context) : undefined;
		const client = await context.connectOrStart();
		const kind = apiKey ? "api_key" : device ? "device" : "browser";
		const started = await client.call("chat.account.login.start", {
			kind,
			...(key === undefined ? {} : { api_key: key }),
		});
		if (started.login_id !== null) {
			context.say(`Open this page to log in:\n\n  ${started.url ?? ""}\n`);
			if (started.user_code !== null)
				context.say(`and enter the code  ${started.user_code}  (good for 15 minutes)\n`);
			await waitForLogin(client, started.login_id, context.signal);
		}
		const account = await client.call("chat.account.read", {});
		context.print(account, `Logged in (${account.login}).`);
		return 0;
	},
});

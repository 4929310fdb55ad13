import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunnerKind } from "#protocol/record.ts";
import { accountToken } from "#test/support/oauth-server.ts";
import { startRunnerDaemon } from "#test/support/runner-daemon.ts";

const HOUR_MS = 3_600_000;
const BACKENDS: readonly RunnerKind[] = ["embedded", "cli"];

// Reading who is logged in starts no program, so the cli half needs none either.
describe.each(BACKENDS)("acceptance: chat.account.read, %s", (backend) => {
	test("account: nobody, a ChatGPT login and an API key are told without a secret when auth.json says so", async () => {
		await using daemon = await startRunnerDaemon(backend);
		const file = join(daemon.codexHome, "auth.json");
		const save = async (content: unknown): Promise<void> => {
			await writeFile(file, JSON.stringify(content), { mode: 0o600 });
			await chmod(file, 0o600);
		};
		const read = async () => await daemon.client.call("chat.account.read", {});

		expect(await read()).toMatchObject({ login: "none", codex_home: daemon.codexHome });

		const token = accountToken({ expiresAtMs: Date.now() + HOUR_MS });
		await save({
			auth_mode: "chatgpt",
			OPENAI_API_KEY: null,
			tokens: {
				id_token: token,
				access_token: token,
				refresh_token: "refresh-secret",
				account_id: "acct-1",
			},
			last_refresh: new Date().toISOString(),
		});
		const chatgpt = await read();
		expect(chatgpt.login).toBe("chatgpt");
		expect(JSON.stringify(chatgpt)).not.toMatch(/refresh-secret|h\.ey/);

		await save({ auth_mode: "apikey", OPENAI_API_KEY: "sk-secret" });
		const apiKey = await read();
		expect(apiKey.login).toBe("api_key");
		expect(JSON.stringify(apiKey)).not.toContain("sk-secret");

		await rm(file);
		expect((await read()).login).toBe("none");
	});
});

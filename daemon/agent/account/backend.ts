import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { ChatgptLogin } from "./auth-file.ts";
import type { RateLimits, RateLimitsRead, WorkspaceRouting } from "./port.ts";
import { snapshotOf, usageSchema } from "./usage.ts";

const TIMEOUT_MS = 30_000;

const workspaceSchema = z.looseObject({
	id: z.string(),
	name: z.string().nullish(),
	structure: z.string().nullish(),
	workspace_backend_origin: z.string(),
	account_routing_override: z.string(),
});
const checkSchema = z.looseObject({ accounts: z.array(workspaceSchema) });

export interface Workspace {
	readonly name: string | null;
	readonly routing: WorkspaceRouting;
}

/** What the ChatGPT backend says of an account. */
export interface Backend {
	/** @throws AppError PROVIDER_UNAVAILABLE "workspace routing discovery failed". */
	workspace(login: ChatgptLogin): Promise<Workspace>;
	/** @throws AppError PROVIDER_UNAVAILABLE. */
	rateLimits(login: ChatgptLogin): Promise<RateLimitsRead>;
}

export interface BackendOptions {
	/** config.toml's chatgpt_base_url, as it is now. */
	baseUrl(): string;
	readonly userAgent: string;
}

function isHttpsOrigin(text: string): boolean {
	return URL.canParse(text) && new URL(text).protocol === "https:";
}

export function createBackend({ baseUrl, userAgent }: BackendOptions): Backend {
	function urlOf(path: string): string {
		return `${baseUrl().replace(/\/+$/, "")}${path}`;
	}

	async function get(
		path: string,
		login: ChatgptLogin,
	): Promise<{ status: number; statusText: string; text: string }> {
		try {
			const response = await fetch(urlOf(path), {
				headers: {
					authorization: `Bearer ${login.accessToken}`,
					...(login.accountId === null ? {} : { "chatgpt-account-id": login.accountId }),
					"user-agent": userAgent,
					accept: "*/*",
				},
				redirect: "manual",
				signal: AbortSignal.timeout(TIMEOUT_MS),
			});
			return { status: response.status, statusText: response.statusText, text: await response.text() };
		} catch {
			return { status: 0, statusText: "error sending request", text: "" };
		}
	}

	return {
		async workspace(login) {
			const accountId = login.accountId;
			if (accountId === null) {
				throw new AppError("PROVIDER_UNAVAILABLE", "workspace routing requires a ChatGPT account id");
			}
			const { status, text } = await get("/wham/accounts/check", login);
			if (status === 401) {
				throw new AppError("PROVIDER_UNAVAILABLE", "workspace routing discovery unauthorized (401)");
			}
			const parsed = status === 200 ? checkSchema.safeParse(parseJson(text)) : null;
			if (!parsed?.success) throw new AppError("PROVIDER_UNAVAILABLE", "workspace routing discovery failed");
			const found = parsed.data.accounts.filter((account) => account.id === accountId);
			const workspace = found[0];
			if (workspace === undefined) {
				throw new AppError("PROVIDER_UNAVAILABLE", "selected workspace missing from routing discovery");
			}
			if (found.length > 1)
				throw new AppError("PROVIDER_UNAVAILABLE", "duplicate workspace in routing discovery");
			if (!isHttpsOrigin(workspace.workspace_backend_origin)) {
				throw new AppError("PROVIDER_UNAVAILABLE", "workspace routing discovery failed");
			}
			return {
				name: workspace.name ?? null,
				routing: {
					chatgptAccountId: accountId,
					backendOrigin: workspace.workspace_backend_origin,
					accountRoutingOverride: workspace.account_routing_override,
				},
			};
		},
		async rateLimits(login) {
			const { status, statusText, text } = await get("/wham/usage", login);
			const usage = status === 200 ? usageSchema.safeParse(parseJson(text)) : null;
			if (!usage?.success) {
				const name = status === 200 ? "the answer could not be read" : `${status} ${statusText}`.trim();
				const message = `failed to fetch codex rate limits: GET ${urlOf("/wham/usage")} failed: ${name}`;
				throw new AppError("PROVIDER_UNAVAILABLE", message);
			}
			const main = snapshotOf(usage.data, "codex", null, usage.data);
			const byId: Record<string, RateLimits> = {};
			for (const more of usage.data.additional_rate_limits ?? []) {
				const id = more.metered_feature ?? more.limit_name ?? "other";
				byId[id] = snapshotOf(usage.data, id, more.limit_name ?? null, { rate_limit: more.rate_limit });
			}
			byId["codex"] = main;
			return {
				ordinaryUsageAllowed: null,
				rateLimits: main,
				rateLimitsByLimitId: byId,
				rateLimitResetCredits: null,
				accountId: null,
				rateLimitUpsell: null,
			};
		},
	};
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

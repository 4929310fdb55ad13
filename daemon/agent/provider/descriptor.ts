import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { ModelProvider } from "#daemon/agent/model.ts";
import type { CatalogueModel } from "./catalogue/catalogue.ts";
import type { ClientIdentity } from "./codex/request.ts";
import type { CredentialStore } from "./credentials.ts";

/** What a provider sees of the world. */
export interface ProviderPorts {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly identity: ClientIdentity;
	readonly credentials: CredentialStore;
	/** Ids of the provider's catalogue as known now, with `own` first; asks anew behind the scenes when they are old. */
	listModels(name: string, own: readonly string[]): readonly string[];
	/** What the catalogue says of a model; null when nothing. */
	findModel(name: string, id: string): CatalogueModel | null;
}

/** Settings of one provider, whichever file they are from; absent ones are null. */
export interface ProviderSettings {
	readonly baseUrl: string | null;
	readonly model: string | null;
	readonly models: readonly string[];
	/** Sent with each request, below authentication. */
	readonly headers: Readonly<Record<string, string>>;
	readonly queryParams: Readonly<Record<string, string>>;
	/** A key in place, or the variable it is in. */
	readonly apiKey: string | null;
	readonly envKey: string | null;
	/** Tools that this provider is not offered. */
	readonly denyTools: readonly string[];
	/** Whether its models see images; null: as the provider usually does. */
	readonly images: boolean | null;
	readonly parallelToolCalls: boolean | null;
	readonly contextWindow: number | null;
	readonly maxOutputTokens: number | null;
	readonly idleMs: number;
	readonly retries: { readonly request: number; readonly stream: number };
	/** Members that only this provider knows (copilot: client_id, integration_id, URLs). */
	readonly extra: Readonly<Record<string, unknown>>;
}

export interface ProviderChoice {
	/** As the thread keeps it. */
	name: string;
	model: string | null;
}

/** What a provider may do with tools, and how: for settings and the tool source. */
export interface ToolPolicy {
	readonly denied: readonly string[];
	readonly parallelCalls: boolean;
	readonly images: boolean;
}

/** One way to models: own authentication, own catalogue, own tool policy. */
export interface ProviderDescriptor {
	readonly name: string;
	/** For people. */
	readonly label: string;
	readonly toolPolicy: Omit<ToolPolicy, "denied">;
	/** How to log in, in one sentence. */
	readonly loginHint: string;
	/** Whether requests could be sent now, and from where the login is; no secrets. @throws AppError CONFIG_INVALID. */
	login(ports: ProviderPorts, settings: ProviderSettings): { usable: boolean; detail: string };
	/** @throws AppError CONFIG_INVALID. */
	create(ports: ProviderPorts, settings: ProviderSettings, choice: ProviderChoice): ModelProvider;
	/** Asks the provider for its models; rejects when it does not say. */
	discover(ports: ProviderPorts, settings: ProviderSettings, signal: AbortSignal): Promise<CatalogueModel[]>;
	/** Models to name while nothing is known. */
	readonly fallbackModels: readonly string[];
}

export function defineProvider(descriptor: ProviderDescriptor): ProviderDescriptor {
	return descriptor;
}

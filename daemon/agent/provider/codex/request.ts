import { arch, platform, release } from "node:os";
import { zstdCompressSync } from "node:zlib";
import type { ModelRequest } from "#daemon/agent/model.ts";
import { withoutForeign } from "../wire/input.ts";
import type { CatalogueModel } from "./catalogue.ts";
import type { CodexConfig } from "./config.ts";
import { OPENAI_PROVIDER_ID } from "./constants.ts";
import type { Endpoint } from "./endpoint.ts";

/** The Codex whose wire this is; the OpenAI backend decides by it what it may send. */
export const CODEX_WIRE_VERSION = "0.169.0";
const BETA_FEATURES = "remote_compaction_v2";

/** Who we say we are, to providers that ask. */
export interface ClientIdentity {
	/** Sent as the originator. */
	readonly name: string;
	readonly version: string;
}

/** What a request is made of beside the loop's own part. */
export interface RequestFrame {
	readonly model: string;
	/** Null: the catalogue does not know it. */
	readonly known: CatalogueModel | null;
	readonly config: CodexConfig;
	readonly installationId: string | null;
}

function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
	);
}

/** "ultra" is work handed on at the level below it; the wire has no word for it. */
function effortOf({ options }: ModelRequest, { config, known }: RequestFrame): string | null {
	const effort = options?.effort ?? config.model_reasoning_effort ?? known?.defaultEffort ?? null;
	return effort === "ultra" ? (known?.ultraEffort ?? "max") : effort;
}

function reasoningOf(request: ModelRequest, frame: RequestFrame): Record<string, unknown> {
	const { known, config } = frame;
	const summary =
		request.options?.summary ?? config.model_reasoning_summary ?? (known === null ? "auto" : "none");
	return present({
		effort: effortOf(request, frame),
		summary: summary === "none" ? null : summary,
		context: known?.responsesLite === true ? "all_turns" : null,
	});
}

function textOf({ options }: ModelRequest, { known, config }: RequestFrame): Record<string, unknown> | null {
	// A model that the catalogue does not know may refuse the member.
	const verbosity =
		known === null ? null : (options?.verbosity ?? config.model_verbosity ?? known.defaultVerbosity);
	const schema = options?.outputSchema;
	const format =
		schema === undefined ? null : { type: "json_schema", strict: true, schema, name: "codex_output_schema" };
	return verbosity === null && format === null ? null : present({ verbosity, format });
}

function serviceTierOf({ options }: ModelRequest, { config }: RequestFrame): string | null {
	const tier = options?.serviceTier ?? config.service_tier ?? null;
	if (tier === "fast") return "priority";
	return tier === "default" || tier === "standard" ? null : tier;
}

function windowIdOf(request: ModelRequest): string {
	return `${request.threadId}:${request.windowNumber ?? 0}`;
}

/** JSON that a header takes: what is not ASCII is escaped, which means the same. */
function asciiJson(value: unknown): string {
	return JSON.stringify(value).replaceAll(
		/[^\x20-\x7e]/g,
		(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}

/** The sandbox as the metadata names it. */
function sandboxTag(sandbox: string): string {
	if (sandbox === "danger-full-access") return "none";
	return platform() === "darwin" ? "seatbelt" : "seccomp";
}

function turnMetadata(request: ModelRequest, frame: RequestFrame): string {
	const { threadId, turnId, options } = request;
	const kind = request.kind === "compaction" ? "compaction" : "turn";
	const sandbox = options?.sandbox;
	return asciiJson(
		present({
			installation_id: frame.installationId,
			session_id: threadId,
			thread_id: threadId,
			agent_name: "/root",
			turn_id: turnId,
			window_id: windowIdOf(request),
			window_number: request.windowNumber ?? 0,
			request_kind: kind,
			root_turn_id: turnId,
			subagent_kind: request.kind === "review" ? "review" : null,
			sandbox: sandbox === undefined ? null : sandboxTag(sandbox),
			sandbox_mode: sandbox,
			auto_review_enabled: false,
			analytics_enabled: false,
			model: frame.model,
			reasoning_effort: effortOf(request, frame),
		}),
	);
}

/** Body of POST /responses, in the order of members that Codex uses; equal requests give equal bytes. */
export function buildBody(request: ModelRequest, frame: RequestFrame): Record<string, unknown> {
	const { threadId, turnId } = request;
	const { known } = frame;
	const lite = known?.responsesLite === true;
	const tier = serviceTierOf(request, frame);
	const text = textOf(request, frame);
	return {
		model: frame.model,
		stream: true,
		...(tier === null ? {} : { service_tier: tier }),
		// A thread may have been with another provider before.
		input: withoutForeign(request.input, null),
		// These models take them as the first item of the input, where the loop puts them.
		...(lite ? {} : { tools: request.tools }),
		tool_choice: "auto",
		parallel_tool_calls: !lite && request.kind !== "compaction",
		reasoning: reasoningOf(request, frame),
		store: false,
		include: ["reasoning.encrypted_content"],
		prompt_cache_key: threadId,
		...(text === null ? {} : { text }),
		client_metadata: present({
			"x-codex-installation-id": frame.installationId,
			session_id: threadId,
			thread_id: threadId,
			turn_id: turnId,
			root_turn_id: turnId,
			"x-codex-window-id": windowIdOf(request),
			"x-openai-subagent": request.kind === "review" ? "review" : null,
			"x-codex-turn-metadata": turnMetadata(request, frame),
		}),
	};
}

/** Printable ASCII only, as a header takes it: names come from clients. */
function headerSafe(text: string): string {
	return text.replaceAll(/[^\x20-\x7e]/g, "_").slice(0, 200);
}

/** As Codex writes it: program/version (system; machine) and what it runs in. */
export function userAgentOf(originator: string, version: string): string {
	const system = platform() === "darwin" ? "Mac OS" : platform() === "linux" ? "Linux" : platform();
	return headerSafe(`${originator}/${version} (${system} ${release()}; ${arch()}) unknown`);
}

/** Headers of a request; the provider's own win over ours, authentication included. */
export function buildHeaders(
	request: ModelRequest,
	frame: RequestFrame,
	endpoint: Endpoint,
	identity: ClientIdentity,
): Record<string, string> {
	const { threadId, options } = request;
	const originator = headerSafe(options?.originator ?? identity.name);
	const isOpenai = endpoint.providerId === OPENAI_PROVIDER_ID;
	return {
		...(isOpenai ? { version: CODEX_WIRE_VERSION } : {}),
		"x-codex-beta-features": BETA_FEATURES,
		"x-codex-window-id": windowIdOf(request),
		"x-codex-turn-metadata": turnMetadata(request, frame),
		...(request.kind === "review" ? { "x-openai-subagent": "review" } : {}),
		...(frame.known?.responsesLite === true ? { "x-openai-internal-codex-responses-lite": "true" } : {}),
		...(isOpenai && endpoint.isChatgpt ? { "x-codex-routing-hint": `model=${headerSafe(frame.model)}` } : {}),
		"x-client-request-id": threadId,
		"session-id": threadId,
		"thread-id": threadId,
		accept: "text/event-stream",
		"content-type": "application/json",
		originator,
		"user-agent": userAgentOf(originator, identity.version),
		...endpoint.headers,
	};
}

/** The body's bytes, compressed where the backend takes that (the OpenAI provider with a ChatGPT login). */
export function encodeBody(
	body: Record<string, unknown>,
	endpoint: Endpoint,
): { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> } {
	const plain = new TextEncoder().encode(JSON.stringify(body));
	if (endpoint.providerId !== OPENAI_PROVIDER_ID || !endpoint.isChatgpt) return { bytes: plain, headers: {} };
	return { bytes: new Uint8Array(zstdCompressSync(plain)), headers: { "content-encoding": "zstd" } };
}

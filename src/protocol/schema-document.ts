import { z } from "zod";
import { ERROR_TABLE } from "#base/error-table.ts";
import type { MethodDescriptor, TopicDescriptor } from "./define.ts";
import { VERSION } from "./limits.ts";
import { METHODS } from "./service/index.ts";
import { TOPICS } from "./topic/index.ts";

type Json = Record<string, unknown>;

export interface MethodSchema {
	summary: string;
	scope: string;
	mutates: boolean;
	connection_only: boolean;
	errors: readonly string[];
	params: Json;
	result: Json;
}

export interface TopicSchema {
	summary: string;
	scope: string;
	parameter: string | null;
	/** True when a slow subscriber is given the newest value per row only. */
	coalesce: boolean;
	snapshot: Json;
	event: Json;
}

export interface SchemaDocument {
	version: string;
	methods: Record<string, MethodSchema>;
	topics: Record<string, TopicSchema>;
}

/** Dialect and id members repeat at every place and say nothing there. */
function toSchema(schema: z.ZodType, io: "input" | "output"): Json {
	const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
	return rest;
}

function describeMethod(method: MethodDescriptor): MethodSchema {
	return {
		summary: method.summary,
		scope: method.scope,
		mutates: method.mutates,
		connection_only: method.connectionOnly === true,
		errors: method.errors,
		params: toSchema(method.params, "input"),
		result: toSchema(method.result, "output"),
	};
}

function describeTopic(topic: TopicDescriptor): TopicSchema {
	return {
		summary: topic.summary,
		scope: topic.scope,
		parameter: topic.parameter ?? null,
		coalesce: topic.coalesce,
		snapshot: toSchema(topic.snapshot, "output"),
		event: toSchema(topic.event, "output"),
	};
}

/** Schema of one method or topic; undefined when there is none of that name. */
export function describeName(name: string): MethodSchema | TopicSchema | undefined {
	const method = METHODS.find((one) => one.name === name);
	if (method) return describeMethod(method);
	const topic = TOPICS.find((one) => one.name === name);
	return topic ? describeTopic(topic) : undefined;
}

/** JSON Schema (2020-12) of every method and topic, from their descriptors. */
export function createSchemaDocument(): SchemaDocument {
	return {
		version: VERSION,
		methods: Object.fromEntries(METHODS.map((method) => [method.name, describeMethod(method)])),
		topics: Object.fromEntries(TOPICS.map((topic) => [topic.name, describeTopic(topic)])),
	};
}

const PROBLEM_SCHEMA = {
	type: "object",
	description: "RFC 9457 problem with the code of docs/reference/errors.md.",
	required: ["type", "title", "status", "detail", "code", "name", "message", "retryable"],
	properties: {
		type: { type: "string" },
		title: { type: "string" },
		status: { type: "integer" },
		detail: { type: "string" },
		code: { type: "integer", description: "Number of the gateway wire." },
		name: { type: "string", enum: Object.keys(ERROR_TABLE) },
		message: { type: "string" },
		retryable: { type: "boolean" },
		remedy: { type: "string" },
		data: { type: "object" },
	},
};

const PROBLEM = {
	description: "Refused or failed.",
	content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};
const PLAIN = { "200": { description: "Yes.", content: { "text/plain": { schema: { type: "string" } } } } };

function operationOf(method: MethodDescriptor): Json {
	const { params, result } = describeMethod(method);
	const key = {
		name: "Idempotency-Key",
		in: "header",
		required: false,
		schema: { type: "string", minLength: 1, maxLength: 200 },
	};
	return {
		operationId: method.name,
		summary: method.summary,
		tags: [method.name.slice(0, method.name.indexOf("."))],
		description: `Scope: ${method.scope}.${method.errors.length > 0 ? ` Errors: ${method.errors.join(", ")}.` : ""}`,
		...(method.mutates ? { parameters: [key] } : {}),
		requestBody: { content: { "application/json": { schema: params } } },
		responses: {
			"200": { description: "The result.", content: { "application/json": { schema: result } } },
			default: PROBLEM,
		},
	};
}

/** OpenAPI 3.1 of what the HTTP listeners serve; methods that need a connection are not in it. */
export function createOpenApiDocument(): Json {
	const callable = (METHODS as readonly MethodDescriptor[]).filter(
		(method) => method.connectionOnly !== true,
	);
	return {
		openapi: "3.1.0",
		info: {
			title: "weave-codex gateway",
			version: VERSION,
			description: "Every method of the gateway as one POST.",
		},
		security: [{ bearer: [] }],
		paths: {
			"/healthz": {
				get: { operationId: "healthz", summary: "The process answers.", security: [], responses: PLAIN },
			},
			"/readyz": {
				get: {
					operationId: "readyz",
					summary: "Ready for work; 503 while starting or stopping.",
					security: [],
					responses: { ...PLAIN, "503": { description: "Not ready." } },
				},
			},
			"/metrics": {
				get: {
					operationId: "metrics",
					summary: "Counters and histograms, Prometheus text.",
					responses: PLAIN,
				},
			},
			"/openapi.json": {
				get: {
					operationId: "openapi",
					summary: "This document.",
					responses: {
						"200": {
							description: "OpenAPI 3.1.",
							content: { "application/json": { schema: { type: "object" } } },
						},
					},
				},
			},
			...Object.fromEntries(
				callable.map((method) => [`/api/v1/rpc/${method.name}`, { post: operationOf(method) }]),
			),
		},
		components: {
			securitySchemes: {
				bearer: {
					type: "http",
					scheme: "bearer",
					description: "Content of $HOMIE_HOME/token; not needed on the Unix socket.",
				},
			},
			schemas: { Problem: PROBLEM_SCHEMA },
		},
	};
}

let rendered: string | undefined;

/** The OpenAPI document as text, rendered once per process. */
export function renderOpenApi(): string {
	rendered ??= JSON.stringify(createOpenApiDocument());
	return rendered;
}

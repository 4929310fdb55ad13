import { expect, test } from "vitest";
import { ERROR_TABLE } from "#base/error-table.ts";
import type { MethodDescriptor } from "#protocol/define.ts";
import { renderErrorReference, renderProtocolReference } from "#protocol/reference-document.ts";
import { createOpenApiDocument, createSchemaDocument, describeName } from "#protocol/schema-document.ts";
import { METHODS } from "#protocol/service/index.ts";
import { TOPICS } from "#protocol/topic/index.ts";

test("schema: covers every method and topic, with what callers may leave out", () => {
	const document = createSchemaDocument();
	expect(Object.keys(document.methods)).toEqual(METHODS.map(({ name }) => name));
	expect(Object.keys(document.topics)).toEqual(TOPICS.map(({ name }) => name));
	expect(document.methods["terminal.session.start"]?.params).toMatchObject({
		type: "object",
		additionalProperties: false,
		properties: { cols: { type: "integer", minimum: 2, default: 80 } },
	});
	expect(document.methods["terminal.session.start"]?.params["required"] ?? []).not.toContain("cols");
	expect(describeName("chats.state")).toMatchObject({ scope: "chat.read", coalesce: true });
	expect(describeName("no.such")).toBeUndefined();
});

test("schema: has an OpenAPI operation for each method that HTTP can call, and no other", () => {
	const { openapi, paths } = createOpenApiDocument() as {
		openapi: string;
		paths: Record<string, { post?: { operationId: string } }>;
	};
	expect(openapi).toBe("3.1.0");
	const called = Object.values(paths).flatMap(({ post }) => (post ? [post.operationId] : []));
	const callable = (METHODS as readonly MethodDescriptor[]).filter(
		(method) => method.connectionOnly !== true,
	);
	expect(called).toEqual(callable.map(({ name }) => name));
});

test("schema: writes a reference that names every method, topic and error", () => {
	const protocol = renderProtocolReference();
	for (const { name } of [...METHODS, ...TOPICS]) expect(protocol).toContain(name);
	const errors = renderErrorReference();
	for (const code of Object.keys(ERROR_TABLE)) expect(errors).toContain(`\`${code}\``);
	expect(protocol).not.toContain("undefined");
});

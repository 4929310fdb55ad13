import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientAnswer, ClientQuestion, ToolContext } from "#daemon/agent/tool.ts";
import { createToolBench, TOOL_REQUEST, type ToolBench } from "./tool-bench.ts";

const PNG = Buffer.from(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
	"base64",
);

describe("other tools", () => {
	let bench: ToolBench;
	beforeEach(async () => {
		bench = await createToolBench();
	});
	afterEach(() => bench[Symbol.asyncDispose]());

	function call(name: string, args: unknown, context: ToolContext = bench.context) {
		return bench.tool(name).execute(JSON.stringify(args), context);
	}

	test("tool source: tools are offered in the real server's order when a model takes all of them", async () => {
		const names = async (changes: Partial<typeof TOOL_REQUEST>): Promise<string[]> =>
			(await bench.agent.source({ ...TOOL_REQUEST, ...changes })).map((tool) => tool.name);
		const first = ["exec_command", "write_stdin", "request_user_input", "apply_patch", "view_image"];
		const rest = ["get_goal", "create_goal", "update_goal", "tool_search", "web_search"];
		expect(await names({})).toEqual([...first, ...rest]);
		expect(await names({ kind: "review" })).toEqual(first);
		const config = { "tools.update_plan.enabled": true };
		expect((await names({ settings: { config } }))[2]).toBe("update_plan");
		const nested = { tools: { update_plan: { enabled: true } } };
		expect((await names({ settings: { config: nested } }))[2]).toBe("update_plan");
		const blind = { ...TOOL_REQUEST.model, takesImages: false };
		expect(await names({ model: blind })).not.toContain("view_image");
	});

	test("view_image: an image goes to the model as it is when the file is one", async () => {
		await writeFile(join(bench.cwd, "a.png"), PNG);
		const seen = await call("view_image", { path: "a.png" });
		expect(seen.content).toEqual([
			{
				type: "input_image",
				image_url: `data:image/png;base64,${PNG.toString("base64")}`,
				detail: "original",
			},
		]);
		expect(bench.told).toMatchObject([
			{ kind: "started", item: { type: "imageView", path: join(bench.cwd, "a.png") } },
			{ kind: "completed", item: { type: "imageView" } },
		]);
	});

	test("view_image: the real server's words say why when there is no image", async () => {
		await writeFile(join(bench.cwd, "b.txt"), "hello");
		const texts: [unknown, string][] = [
			[
				{ path: "nope.png" },
				`unable to locate image at \`${bench.cwd}/nope.png\`: No such file or directory (os error 2)`,
			],
			[{ path: "b.txt" }, "unable to process image: invalid or unsupported image data"],
			[{ path: "." }, `image path \`${bench.cwd}\` is not a file`],
			[{}, "failed to parse function arguments: missing field `path` at line 1 column 2"],
			[
				{ path: "a", detail: "low" },
				"view_image.detail only supports `high` or `original`; omit `detail` for default high resized behavior, got `low`",
			],
		];
		for (const [args, text] of texts) expect((await call("view_image", args)).output).toBe(text);
		expect((await call("view_image", { path: "../user/.ssh/x.png" })).output).toMatch(/^refused by policy/);
	});

	test("update_plan: steps are told when they are valid", async () => {
		const settings = { config: { "tools.update_plan.enabled": true } };
		const tools = await bench.agent.source({ ...TOOL_REQUEST, settings });
		const plan = tools.find((tool) => tool.name === "update_plan");
		const given = { plan: [{ step: "a", status: "in_progress" }] };
		expect(await plan?.execute(JSON.stringify(given), bench.context)).toMatchObject({
			output: "Plan updated",
		});
		expect(bench.told).toEqual([{ kind: "plan", steps: [{ step: "a", status: "inProgress" }] }]);
		expect((await plan?.execute("{}", bench.context))?.output).toBe(
			"failed to parse function arguments: missing field `plan` at line 1 column 2",
		);
		const bogus = await plan?.execute('{"plan":[{"step":"a","status":"bogus"}]}', bench.context);
		expect(bogus?.output).toMatch(
			/unknown variant `bogus`, expected one of `pending`, `in_progress`, `completed`/,
		);
	});

	function asking(answer: ClientAnswer): { asked: ClientQuestion[]; context: ToolContext } {
		const asked: ClientQuestion[] = [];
		const askClient = (question: ClientQuestion): Promise<ClientAnswer> => {
			asked.push(question);
			return Promise.resolve(answer);
		};
		return { asked, context: bench.with({ askClient }) };
	}

	test("request_user_input: answers come back as they were given when a client answers", async () => {
		const result = { answers: { q1: { answers: ["Yes"] } } };
		const { asked, context } = asking({ type: "result", result });
		const options = [{ label: "Yes", description: "go" }];
		const questions = [{ id: "q1", header: "Go?", question: "Proceed?", options }];
		expect((await call("request_user_input", { questions }, context)).output).toBe(JSON.stringify(result));
		expect(asked).toEqual([
			{
				itemId: "call",
				kind: "user_input",
				params: {
					itemId: "call",
					questions: [{ ...questions[0], isOther: true, isSecret: false }],
					isBlocking: true,
					autoResolutionMs: null,
				},
			},
		]);
		const tools = await bench.agent.source({ ...TOOL_REQUEST, mode: "default" });
		const outside = tools.find((tool) => tool.name === "request_user_input");
		expect((await outside?.execute("{}", context))?.output).toBe(
			"request_user_input is unavailable in Default mode",
		);
	});

	test("dynamic tools: a client's tool is called with its namespace when the model calls it", async () => {
		const settings = {
			dynamic_tools: [
				{
					type: "namespace",
					name: "ns",
					description: "d",
					tools: [
						{ type: "function", name: "one", description: "", inputSchema: {} },
						{ type: "function", name: "two", description: "", inputSchema: {}, deferLoading: true },
					],
				},
				{ type: "function", name: "flat", description: "", inputSchema: { type: "object" } },
			],
		};
		const tools = await bench.agent.source({ ...TOOL_REQUEST, settings });
		const find = (name: string) => tools.find((tool) => tool.name === name);
		expect(find("ns__one")?.spec).toMatchObject({ type: "namespace", name: "ns", tools: [{ name: "one" }] });
		expect(find("flat")?.spec).toMatchObject({ type: "function", name: "flat", strict: false });
		expect(find("ns__two")?.spec).toMatchObject({ tools: [{ defer_loading: true }] });
		const { asked, context } = asking({
			type: "result",
			result: { contentItems: [{ type: "inputText", text: "hey" }], success: true },
		});
		expect(await find("ns__one")?.execute('{"a":1}', context)).toMatchObject({
			output: "hey",
			success: true,
		});
		expect(asked[0]).toMatchObject({
			kind: "tool_call",
			params: { callId: "call", namespace: "ns", tool: "one", arguments: { a: 1 } },
		});
		expect(bench.order()).toEqual(["started:inProgress", "intend", "done", "completed:completed"]);
		const failed = asking({ type: "failed", message: "gone" });
		expect(await find("flat")?.execute("{}", failed.context)).toMatchObject({ success: false });
	});

	test("goals: a thread has one at a time when the model sets it", async () => {
		expect((await call("get_goal", {})).output).toBe(
			'{"goal":null,"remainingTokens":null,"completionBudgetReport":null}',
		);
		expect((await call("create_goal", { objective: "do" })).success).toBe(true);
		expect((await call("create_goal", { objective: "more" })).success).toBe(false);
		expect(JSON.parse((await call("update_goal", { status: "complete" })).output)).toMatchObject({
			goal: { threadId: "thread", objective: "do", status: "complete" },
		});
	});
});

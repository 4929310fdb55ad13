import type { ModelWire, WriteAnswer } from "./faulty-model.ts";

/** Above it an event is refused. */
const EVENT_MAX = 32 * 1024 * 1024;

/** An answer with nothing wrong. */
export const fineAnswer: WriteAnswer = async (wire) => {
	wire.open();
	await wire.event("response.created", { response: {} });
	await wire.text("fine");
	await wire.complete();
};

/** A stream that begins well. */
const stream =
	(write: (wire: ModelWire) => Promise<unknown>): WriteAnswer =>
	async (wire) => {
		wire.open();
		await wire.event("response.created", { response: {} });
		await write(wire);
	};
const plain =
	(status: number, body: string | Uint8Array, headers: Record<string, string> = {}): WriteAnswer =>
	({ response }) =>
		void response.writeHead(status, headers).end(body);
const added = (id: string, type = "message") => ({ item: { id, type, role: "assistant", content: [] } });
const delta = (item_id: string, text: string) => ({ item_id, content_index: 0, delta: text });
const message = (id: unknown, text: string) => ({
	item: { id, type: "message", role: "assistant", content: [{ type: "output_text", text }] },
});

/** What a model server does at the first request of a turn, and how that turn may end when all later answers are fine. */
export const MODEL_FAULTS: Record<string, [fault: WriteAnswer, ends: "completed" | "failed" | "either"]> = {
	"drops before the head": [(wire) => wire.drop(), "completed"],
	"drops behind the head": [
		async (wire) => {
			wire.open();
			await wire.raw(": hello\n\n");
			wire.drop();
		},
		"completed",
	],
	"drops in the middle of a text": [
		stream(async (wire) => {
			await wire.event("response.output_item.added", added("m1"));
			await wire.event("response.output_text.delta", delta("m1", "half"));
			wire.drop();
		}),
		"completed",
	],
	"never sends a head": [(wire) => wire.gone, "completed"],
	"stalls in the middle of a text": [
		stream(async (wire) => {
			await wire.event("response.output_item.added", added("m1"));
			await wire.event("response.output_text.delta", delta("m1", "half"));
			await wire.gone;
		}),
		"completed",
	],
	"stalls in the middle of a refusal": [
		async (wire) => {
			wire.response.writeHead(500);
			await wire.raw("half of a re");
			await wire.gone;
		},
		"completed",
	],
	"sends half a frame and ends": [
		stream(async (wire) => {
			await wire.raw('event: response.output_text.delta\ndata: {"type":"respon');
			wire.response.end();
		}),
		"completed",
	],
	"sends half a frame and drops": [
		stream(async (wire) => {
			await wire.raw("event: response.completed\ndata: {");
			wire.drop();
		}),
		"completed",
	],
	"sends the completion without the blank line": [
		stream(async (wire) => {
			await wire.raw('data: {"type":"response.completed","response":{"id":"r"}}\n');
			wire.response.end();
		}),
		"completed",
	],
	"sends one byte at a time": [
		stream(async (wire) => {
			const text = `data: ${JSON.stringify({ type: "response.output_item.done", ...message("m1", "grüße 🙂") })}\r\n\r\n`;
			for (const byte of Buffer.from(text)) await wire.raw(Uint8Array.of(byte));
			await wire.complete();
		}),
		"completed",
	],
	"sends a page instead of a stream": [plain(200, "<html>proxy error</html>", {}), "completed"],
	"sends noise": [
		async (wire) => {
			wire.open();
			await wire.raw(Uint8Array.from({ length: 65_536 }, (_, index) => (index * 7919 + 13) % 256));
			wire.response.end();
		},
		"completed",
	],
	"sends events that are no JSON": [
		stream(async (wire) => {
			await wire.raw("data: [DONE]\n\ndata: {]\n\n");
			wire.response.end();
		}),
		"completed",
	],
	"sends JSON that is no event": [
		stream(async (wire) => {
			for (const each of ["null", "[]", "7", '"x"', "{}", '{"type":7}']) await wire.raw(`data: ${each}\n\n`);
			await wire.text("after");
			await wire.complete();
		}),
		"completed",
	],
	"sends events whose members are of other kinds": [
		stream(async (wire) => {
			await wire.event("response.output_text.delta", { item_id: 7, delta: { a: 1 } });
			await wire.event("response.output_item.done", { item: null });
			await wire.event("response.completed", { response: "yes" });
			wire.response.end();
		}),
		"completed",
	],
	"sends unknown events and items": [
		stream(async (wire) => {
			await wire.event("response.brand_new", { deep: { er: [1, 2] } });
			await wire.event("response.output_item.added", { item: { id: "n1", type: "hologram" } });
			await wire.event("response.output_item.done", {
				item: { id: "n1", type: "hologram", rays: [{ __proto__: { a: 1 } }] },
			});
			await wire.text("seen");
			await wire.complete();
		}),
		"completed",
	],
	"sends 10 MB in one delta": [
		stream(async (wire) => {
			await wire.text("x".repeat(10 * 1024 * 1024));
			await wire.complete();
		}),
		"completed",
	],
	"sends an event over the bound": [
		stream(async (wire) => {
			await wire.raw(`data: {"type":"${"x".repeat(EVENT_MAX + 1)}`);
			await wire.gone;
		}),
		"either",
	],
	"sends a line without an end": [
		stream(async (wire) => {
			const piece = "y".repeat(1024 * 1024);
			for (let count = 0; count < 40 && !wire.response.destroyed; count += 1) await wire.raw(piece);
			wire.response.end();
		}),
		"either",
	],
	"sends ten thousand events at once": [
		stream(async (wire) => {
			await wire.event("response.output_item.added", added("m1"));
			const one = `data: ${JSON.stringify({ type: "response.output_text.delta", ...delta("m1", "ab ") })}\n\n`;
			await wire.raw(one.repeat(10_000));
			await wire.event("response.output_item.done", message("m1", "ab ".repeat(10_000)));
			await wire.complete();
		}),
		"completed",
	],
	"writes to an item that it never began": [
		stream(async (wire) => {
			await wire.event("response.output_text.delta", delta("ghost", "boo"));
			await wire.event("response.reasoning_summary_text.delta", {
				...delta("ghost2", "boo"),
				summary_index: 9,
			});
			await wire.event("response.reasoning_summary_part.added", { item_id: "ghost3", summary_index: -1 });
			await wire.event("response.custom_tool_call_input.delta", { item_id: "ghost4", delta: "boo" });
			await wire.text("real");
			await wire.complete();
		}),
		"completed",
	],
	"ends another item than it began": [
		stream(async (wire) => {
			await wire.event("response.output_item.added", added("m1"));
			await wire.event("response.output_text.delta", delta("m1", "hello"));
			await wire.event("response.output_item.done", message("m2", "hello"));
			await wire.complete();
		}),
		"completed",
	],
	"ends an item twice and writes to it afterwards": [
		stream(async (wire) => {
			await wire.text("once", "m1");
			await wire.text("once", "m1");
			await wire.event("response.output_text.delta", delta("m1", "late"));
			await wire.event("response.output_item.done", message("m1", "other"));
			await wire.complete();
		}),
		"completed",
	],
	"gives items of two kinds one id": [
		stream(async (wire) => {
			await wire.event("response.output_item.added", added("same", "reasoning"));
			await wire.event("response.output_item.added", added("same"));
			await wire.event("response.output_item.done", { item: { id: "same", type: "reasoning", summary: [] } });
			await wire.event("response.output_item.done", message("same", "text"));
			await wire.complete();
		}),
		"completed",
	],
	"gives ids that are no texts": [
		stream(async (wire) => {
			await wire.event("response.output_item.done", message(7, "seven"));
			await wire.event("response.output_item.done", message(null, "null"));
			await wire.event("response.output_item.done", message("", "empty"));
			await wire.event("response.output_item.done", message("__proto__", "proto"));
			await wire.event("response.output_item.done", message("x".repeat(100_000), "long"));
			await wire.complete();
		}),
		"completed",
	],
	"gives two calls one id": [
		stream(async (wire) => {
			const call = { call_id: "twice", id: "fc_same" };
			await wire.call("exec_command", { cmd: "echo a >> twice.txt" }, call);
			await wire.call("exec_command", { cmd: "echo b >> twice.txt" }, call);
			await wire.complete();
		}),
		"completed",
	],
	"calls without an id, a name or arguments": [
		stream(async (wire) => {
			await wire.call("exec_command", { cmd: "true" }, { call_id: undefined });
			await wire.call("exec_command", { cmd: "true" }, { call_id: 7 });
			await wire.call("exec_command", "", { name: undefined });
			await wire.call("exec_command", "", { arguments: undefined });
			await wire.complete();
		}),
		"completed",
	],
	"calls what nobody has": [
		stream(async (wire) => {
			await wire.call("launch_rockets", {});
			await wire.call("__proto__", {});
			await wire.call("constructor", {}, { namespace: "toString" });
			await wire.call("write_stdin", { session_id: 424_242, chars: "x" });
			await wire.complete();
		}),
		"completed",
	],
	"calls with arguments that cannot be": [
		stream(async (wire) => {
			await wire.call("exec_command", "{not json");
			await wire.call("exec_command", "null");
			await wire.call("exec_command", { cmd: "echo a\u0000b" });
			await wire.call("exec_command", { cmd: "true", workdir: "a\u0000b" });
			await wire.call("exec_command", { cmd: "true", workdir: `/${"x".repeat(5_000)}` });
			await wire.call("exec_command", { cmd: "x".repeat(200 * 1024) });
			await wire.call("exec_command", { cmd: "\ud800" });
			await wire.call("exec_command", { cmd: "true", yield_time_ms: -1, max_output_tokens: 1e300 });
			await wire.call("view_image", { path: "a\u0000b" });
			await wire.complete();
		}),
		"completed",
	],
	"calls with a patch that cannot be": [
		stream(async (wire) => {
			for (const input of [
				"",
				"\u0000",
				"*** Begin Patch\n*** Add File: a\u0000b\n+x\n*** End Patch",
				"*** Begin Patch\n*** Update File: nowhere\n@@\n-a\n+b\n*** End Patch",
			]) {
				const call = { id: `ctc_${input.length}`, type: "custom_tool_call", call_id: `p${input.length}` };
				await wire.event("response.output_item.done", { item: { ...call, name: "apply_patch", input } });
			}
			await wire.complete();
		}),
		"completed",
	],
	"nests a hundred thousand deep": [
		stream(async (wire) => {
			const deep = "[".repeat(100_000) + "]".repeat(100_000);
			await wire.raw(`data: {"type":"response.output_item.done","item":{"type":"hologram","a":${deep}}}\n\n`);
			await wire.call("exec_command", `{"cmd":${deep}}`);
			await wire.complete();
		}),
		"either",
	],
	"sends texts that no encoding has": [
		stream(async (wire) => {
			await wire.raw(Uint8Array.of(...Buffer.from("data: "), 0xff, 0xfe, 0xc3, 0x28, 0x0a, 0x0a));
			wire.response.end();
		}),
		"completed",
	],
	"sends lone surrogates and zeros": [
		stream(async (wire) => {
			await wire.text("a\u0000b\ud800c\udc00");
			await wire.complete();
		}),
		"completed",
	],
	"goes on behind its end": [
		stream(async (wire) => {
			await wire.text("said");
			await wire.event("response.completed", { response: { id: "r1" } });
			await wire.text("too late");
			await wire.call("exec_command", { cmd: "echo late > late.txt" });
			await wire.event("response.completed", { response: { id: "r2" } });
			wire.response.end();
		}),
		"completed",
	],
	"counts nonsense": [
		stream(async (wire) => {
			await wire.text("counted");
			const usage = { input_tokens: -5, output_tokens: 1e300, total_tokens: "many", input_tokens_details: 7 };
			await wire.event("response.completed", { response: { id: 7, usage } });
			wire.response.end();
		}),
		"completed",
	],
	"fails without a word": [
		stream(async (wire) => {
			await wire.event("response.failed", { response: {} });
			wire.response.end();
		}),
		"completed",
	],
	"fails with an error that is no object": [
		stream(async (wire) => {
			await wire.event("error", { error: "bad" });
			wire.response.end();
		}),
		"either",
	],
	"lies about its encoding": [plain(200, "not zipped", { "content-encoding": "gzip" }), "completed"],
	"sends somebody elsewhere": [plain(302, "", { location: "http://127.0.0.1:1/" }), "either"],
	"has no content": [plain(204, ""), "either"],
	"refuses with a megabyte": [plain(500, "<b>".repeat(350_000)), "completed"],
	"asks for a pause of a year": [plain(429, "{}", { "retry-after": "-1" }), "either"],
	"speaks no HTTP": [(wire) => void wire.response.socket?.end("hello, this is dog\r\n\r\n"), "completed"],
};

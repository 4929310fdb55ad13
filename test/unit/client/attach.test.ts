import { describe, expect, test } from "vitest";
import {
	createHostFrameReader,
	encodeHostBytes,
	encodeHostJson,
	HOST_FRAME,
	joinBytes,
	parseHostBytes,
	parseHostJson,
} from "#client/attach/host-frame.ts";
import { createPrefixReader, parsePrefix } from "#client/attach/prefix-key.ts";
import { createScreenGuard } from "#client/attach/screen-guard.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const show = (data: Uint8Array): string => new TextDecoder().decode(data);

describe("host frames", () => {
	test("whole frames come out in order, however the stream is cut", () => {
		const stream = joinBytes([
			encodeHostJson(HOST_FRAME.event, { event: "x" }),
			encodeHostBytes(HOST_FRAME.output, 2 ** 40, bytes("hello")),
			encodeHostBytes(HOST_FRAME.snapshot, 7, bytes("")),
		]);
		for (const step of [1, 2, 3, 7, stream.length]) {
			const seen: string[] = [];
			const reader = createHostFrameReader(1000, (type, body) => {
				if (type === HOST_FRAME.event) seen.push(JSON.stringify(parseHostJson(body)));
				else seen.push(`${type} ${parseHostBytes(body).offset} ${show(parseHostBytes(body).bytes)}`);
			});
			for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
			expect(seen).toEqual(['{"event":"x"}', `16 ${2 ** 40} hello`, "17 7 "]);
		}
	});

	test("a frame over the limit and one without a type are refused with a code", () => {
		const reader = createHostFrameReader(10, () => undefined);
		expect(() => reader.push(Uint8Array.of(0, 0, 1, 0, 1))).toThrow(
			expect.objectContaining({ code: "PROTOCOL_LIMIT" }),
		);
		expect(() => createHostFrameReader(10, () => undefined).push(new Uint8Array(5))).toThrow(
			expect.objectContaining({ code: "PROTOCOL_INVALID_FRAME" }),
		);
	});
});

describe("prefix key", () => {
	function type(...chunks: string[]): string[] {
		const reader = createPrefixReader(parsePrefix("C-]") ?? 0);
		return chunks
			.flatMap((chunk) => reader.push(bytes(chunk)))
			.map((part) => (part.kind === "send" ? show(part.bytes) : `<${part.kind}>`));
	}

	test("prefix d detaches, twice sends it, ? helps, anything else is sent with it", () => {
		expect(type("ls\x1dd")).toEqual(["ls", "<detach>"]);
		expect(type("\x1d", "d")).toEqual(["<detach>"]);
		expect(type("\x1d\x1d")).toEqual(["\x1d"]);
		expect(type("\x1d?")).toEqual(["<help>"]);
		expect(type("\x1dx")).toEqual(["\x1dx"]);
	});

	test("prefix is known in the kitty protocol and in modifyOtherKeys, its release is not a key", () => {
		expect(type("\x1b[93;5u", "d")).toEqual(["<detach>"]);
		expect(type("\x1b[93;5u\x1b[93;5:3u\x1b[100u")).toEqual(["<detach>"]);
		expect(type("\x1b[27;5;93~d")).toEqual(["<detach>"]);
		expect(type("\x1b[A\x1b[1;5C")).toEqual(["\x1b[A\x1b[1;5C"]);
	});

	test("a paste is never read as keys", () => {
		expect(type("\x1b[200~a\x1dd\r~.\x1b[201~b")).toEqual(["\x1b[200~a\x1dd\r~.\x1b[201~b"]);
	});

	test("Enter ~ . leaves, elsewhere a tilde is a tilde, Ctrl+C is the program's", () => {
		expect(type("x\r~.")).toEqual(["x\r", "<leave>"]);
		expect(type("cd ~.\x03")).toEqual(["cd ~.\x03"]);
		expect(type("\r~~")).toEqual(["\r~"]);
		expect(type("\r~/x")).toEqual(["\r~/x"]);
	});

	test("only control keys that no program needs may be the prefix", () => {
		expect([parsePrefix("C-]"), parsePrefix("^a"), parsePrefix("\x02")]).toEqual([0x1d, 1, 2]);
		expect([parsePrefix("C-c"), parsePrefix("C-m"), parsePrefix("x"), parsePrefix("")]).toEqual([
			undefined,
			undefined,
			undefined,
			undefined,
		]);
	});
});

describe("screen guard", () => {
	test("changes of screen are taken out and ask for a repaint, other modes of the same sequence stay", () => {
		expect(createScreenGuard().push(bytes("a\x1b[?1049;25hb"))).toEqual({
			bytes: bytes("a\x1b[?25h"),
			repaint: true,
		});
		expect(createScreenGuard().push(bytes("a\x1b[?47lb"))).toEqual({ bytes: bytes("a"), repaint: true });
		expect(createScreenGuard().push(bytes("a\x1bcb")).repaint).toBe(true);
	});

	test("clearing the person's history is taken out, everything else passes untouched, cut anywhere", () => {
		const text = "x\x1b[3Jy\x1b[1;31mred\x1b]0;t\x07\x1b(0\x1b7\x1b[?2004h\x1b";
		for (let cut = 0; cut <= text.length; cut += 1) {
			const guard = createScreenGuard();
			const out = [text.slice(0, cut), `${text.slice(cut)}8`]
				.map((part) => show(guard.push(bytes(part)).bytes))
				.join("");
			expect(out).toBe(`${text.replace("\x1b[3J", "")}8`);
		}
	});

	test("counts what the program put on the keyboard stack", () => {
		const guard = createScreenGuard();
		guard.push(bytes("\x1b[>1u\x1b[>3u\x1b[<u"));
		expect(guard.keyboardDepth).toBe(1);
		guard.push(bytes("\x1b[<5u"));
		expect(guard.keyboardDepth).toBe(0);
	});
});

/**
 * Runs inside the sandbox before the script: makes the globals that scripts have out of one host function that takes and
 * gives strings only. Its value is what the worker calls back: [settle, fire, describe].
 */
export const GUEST_GLOBALS = `(host, toolNames, metadata, storedJson) => {
	const { parse, stringify } = JSON;
	const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
	const print = (value) => {
		if (typeof value === "string") return value;
		if (typeof value === "bigint") return String(value);
		return stringify(value) ?? "undefined";
	};
	const stored = new Map(Object.entries(parse(storedJson)));
	const calls = new Map();
	const timers = new Map();
	let serial = 0;

	const tools = {};
	for (const name of toolNames) {
		tools[name] = (input) => new Promise((resolve, reject) => {
			serial += 1;
			calls.set(serial, [resolve, reject]);
			host("call", String(serial), name, input === undefined ? undefined : stringify(input));
		});
	}
	const imageUrl = (value) => {
		const fail = "image expects a non-empty image URL string, an object with image_url and optional detail, or a raw MCP image block";
		let url = value;
		if (value !== null && typeof value === "object") {
			url = value.image_url;
			if (value.type === "image" && typeof value.data === "string") url = "data:" + (value.mimeType || "image/png") + ";base64," + value.data;
		}
		if (typeof url !== "string" || url === "") throw fail;
		if (!url.startsWith("data:")) throw "Tool call failed: remote image URLs are not supported in tool outputs. Pass a base64 data URI instead";
		return url;
	};
	const settledAs = (promise, index) => Promise.resolve(promise).then(
		(value) => ({ index, status: "fulfilled", value }),
		(reason) => ({ index, status: "rejected", reason }),
	);
	async function* as_settled(promises) {
		const waiting = new Map([...promises].map((promise, index) => [index, settledAs(promise, index)]));
		while (waiting.size > 0) {
			const next = await Promise.race(waiting.values());
			waiting.delete(next.index);
			yield next;
		}
	}
	const globals = {
		tools,
		ALL_TOOLS: parse(metadata),
		text: (value) => host("text", print(value)),
		image: (value) => host("image", imageUrl(value)),
		audio: () => host("text", "audio content omitted because you do not support audio input"),
		generatedImage: (value) => {
			if (value === null || typeof value !== "object" || typeof value.image_url !== "string")
				throw "generatedImage expects an image generation result object";
			host("image", imageUrl(value.image_url));
			if (typeof value.output_hint === "string" && value.output_hint !== "") host("text", value.output_hint);
		},
		store: (key, value) => {
			const json = stringify(value);
			if (json === undefined) throw "failed to serialize JavaScript value: expected value at line 1 column 1";
			stored.set(String(key), json);
			host("store", String(key), json);
		},
		load: (key) => {
			const json = stored.get(String(key));
			return json === undefined ? undefined : parse(json);
		},
		notify: (value) => {
			const said = print(value);
			if (said.trim() === "") throw "notify expects non-empty text";
			host("notify", said);
		},
		yield_control: () => host("yield"),
		exit: () => {
			host("exit");
			throw "exit";
		},
		setTimeout: (callback, delayMs) => {
			if (typeof callback !== "function") throw new TypeError("setTimeout expects a function");
			serial += 1;
			timers.set(serial, callback);
			host("timer", String(serial), String(Number(delayMs) || 0));
			return serial;
		},
		clearTimeout: (id) => {
			if (timers.delete(id)) host("clear", String(id));
		},
		as_settled,
		stream_settled: async (promises, emit) => {
			if (typeof emit !== "function") throw new TypeError("stream_settled requires a callback");
			for await (const result of as_settled(promises)) await emit(result);
		},
	};
	for (const [name, value] of Object.entries(globals)) define(name, value);

	const settle = (id, ok, value) => {
		const call = calls.get(id);
		calls.delete(id);
		if (call) ok ? call[0](parse(value)) : call[1](value);
	};
	const fire = (id) => {
		const callback = timers.get(id);
		timers.delete(id);
		callback?.();
	};
	const describe = (thrown) => {
		if (!(thrown instanceof Error)) return String(thrown);
		const missing = /^could not load module '(.*)'$/.exec(thrown.message);
		if (missing) return "Unsupported import in exec: " + missing[1];
		const places = String(thrown.stack ?? "").split("\\n").filter((line) => line.includes("exec_main")).slice(0, 10);
		const frames = places.map((line) => line.replace(/at <anonymous> \\((.*)\\)/, "at $1").trimEnd());
		return [thrown.name + ": " + thrown.message, ...frames].join("\\n");
	};
	return [settle, fire, describe];
}`;

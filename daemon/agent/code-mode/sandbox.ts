import type {
	QuickJSContext,
	QuickJSHandle,
	QuickJSRuntime,
	QuickJSWASMModule,
} from "quickjs-emscripten-core";
import { GUEST_GLOBALS } from "./guest-globals.ts";
import type { FromWorker, ToWorker } from "./worker-protocol.ts";

type RunMessage = Extract<ToWorker, { kind: "run" }>;

/** Deep recursion must meet QuickJS's own limit before the thread's (worker-pool.ts gives the thread 8 MB). */
const STACK_BYTES = 256 * 1024;

/** The types of Node do not name it. */
const { WebAssembly } = globalThis as unknown as {
	WebAssembly: {
		Memory: new (bound: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
	};
};
const PAGE_BYTES = 64 * 1024;
/** What the interpreter's module wants to begin with. */
const INITIAL_PAGES = 256;

export interface LoadedQuickJs {
	readonly quickJs: QuickJSWASMModule;
	/** What the interpreter holds; it never gives anything back. */
	memoryBytes(): number;
}

/**
 * Loads the interpreter; about 35 ms and 1 MB of code, once per thread. The bound is that of its whole memory: QuickJS's own
 * limit counts next to nothing of small blocks when it is compiled to WebAssembly.
 */
export async function loadQuickJs(maxMemoryBytes: number): Promise<LoadedQuickJs> {
	const [{ newQuickJSWASMModuleFromVariant, newVariant }, { default: variant }] = await Promise.all([
		import("quickjs-emscripten-core"),
		import("@jitl/quickjs-singlefile-mjs-release-sync"),
	]);
	const wasmMemory = new WebAssembly.Memory({
		initial: INITIAL_PAGES,
		maximum: Math.max(INITIAL_PAGES, Math.ceil(maxMemoryBytes / PAGE_BYTES)),
	});
	const quickJs = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));
	return { quickJs, memoryBytes: () => wasmMemory.buffer.byteLength };
}

/** One running script. Nothing of the host is reachable from it but the globals of guest-globals.ts. */
export interface Sandbox extends Disposable {
	settle(callId: number, ok: boolean, value: string): void;
}

interface Guest {
	settle: QuickJSHandle;
	fire: QuickJSHandle;
	describe: QuickJSHandle;
}

interface World {
	readonly runtime: QuickJSRuntime;
	readonly vm: QuickJSContext;
	readonly message: RunMessage;
	readonly send: (message: FromWorker) => void;
	readonly timers: Map<number, NodeJS.Timeout>;
	state: "running" | "exited" | "over";
	busySinceMs: number;
	busyMs: number;
	outputBytes: number;
	/** Of calls that are not answered yet, by their id. */
	readonly callBytes: Map<number, number>;
	waitingBytes: number;
	/** Of each value that the thread's scripts keep. */
	readonly storedBytes: Map<string, number>;
	storedTotal: number;
	guest: Guest | null;
	module: QuickJSHandle | null;
}

class OverLimit extends Error {}

/** What a message costs beside its text: a flood of blank ones must meet the limit, too. */
const MESSAGE_BYTES = 100;
/** Calls that have not been answered; far more than composing takes, each is a message, a promise and an item. */
const CALLS_MAX = 1_000;

function describe(world: World, thrown: QuickJSHandle): string {
	if (world.guest === null) return "the script could not start";
	const said = world.vm.callFunction(world.guest.describe, world.vm.undefined, thrown);
	const failed = said.error !== undefined;
	const text = failed ? "the script failed and its error cannot be shown" : world.vm.getString(said.value);
	said.dispose();
	return text;
}

function finish(world: World, error: string | null): void {
	if (world.state === "over") return;
	const exited = world.state === "exited";
	world.state = "over";
	world.send({ kind: "done", error: exited ? null : error });
}

function finishThrown(world: World, thrown: QuickJSHandle): void {
	const overTime = world.busyMs > world.message.limits.cpuMs;
	finish(
		world,
		overTime
			? "the script used up its processor time"
			: world.state === "exited"
				? null
				: describe(world, thrown),
	);
	thrown.dispose();
}

/** Runs `step` in the guest on the clock of its processor time, then lets promises go on and sees whether it is over. */
function advance(world: World, step: () => QuickJSHandle | null): void {
	if (world.state !== "running") return;
	world.busySinceMs = performance.now();
	let thrown = step();
	if (thrown === null) {
		// A job fails as such only when it was interrupted or had no memory: nothing would go on from it.
		const jobs = world.runtime.executePendingJobs();
		if (jobs.error) thrown = jobs.error;
		else jobs.dispose();
	}
	world.busyMs += performance.now() - world.busySinceMs;
	if (thrown !== null) finishThrown(world, thrown);
	else if (hasExited(world)) finish(world, null);
	else if (world.busyMs > world.message.limits.cpuMs) finish(world, "the script used up its processor time");
	else settleModule(world);
}

const hasExited = (world: World): boolean => world.state === "exited";

function settleModule(world: World): void {
	if (world.module === null) return;
	const state = world.vm.getPromiseState(world.module);
	if (state.type === "fulfilled") {
		if (!state.notAPromise) state.value.dispose();
		finish(world, null);
	} else if (state.type === "rejected") finishThrown(world, state.error);
}

function count(world: World, text: string): string {
	world.outputBytes += text.length + MESSAGE_BYTES;
	if (world.outputBytes > world.message.limits.outputBytes)
		throw new OverLimit("the script output more than it may");
	return text;
}

function countCall(world: World, callId: number, input: string): void {
	if (world.callBytes.size >= CALLS_MAX)
		throw new OverLimit("the script has too many calls that are not answered");
	if (world.waitingBytes + input.length > world.message.limits.outputBytes)
		throw new OverLimit("the script's calls say more than they may");
	world.waitingBytes += input.length;
	world.callBytes.set(callId, input.length);
}

/** What scripts keep outlives them: all of it together is bounded, not each script's part. */
function countStored(world: World, key: string, json: string): void {
	const size = key.length + json.length;
	const total = world.storedTotal - (world.storedBytes.get(key) ?? 0) + size;
	if (total > world.message.limits.outputBytes)
		throw new OverLimit("the scripts of this thread store more than they may");
	world.storedTotal = total;
	world.storedBytes.set(key, size);
}

function startTimer(world: World, id: number, delayMs: number): void {
	const timer = setTimeout(
		() => {
			world.timers.delete(id);
			advance(world, () => {
				const { vm, guest } = world;
				if (guest === null) return null;
				const fired = vm.newNumber(id).consume((number) => vm.callFunction(guest.fire, vm.undefined, number));
				if (fired.error) return fired.error;
				fired.value.dispose();
				return null;
			});
		},
		Math.min(Math.max(delayMs, 0), 2 ** 31 - 1),
	);
	world.timers.set(id, timer);
}

/** Everything that a script can ask of the host; all members are strings. */
function perform(
	world: World,
	[operation = "", first = "", second = "", third]: (string | undefined)[],
): void {
	if (world.state !== "running") return;
	const { send } = world;
	switch (operation) {
		case "text":
			send({ kind: "output", part: { type: "text", text: count(world, first) } });
			break;
		case "image":
			send({ kind: "output", part: { type: "image", url: count(world, first) } });
			break;
		case "notify":
			send({ kind: "notify", text: count(world, first) });
			break;
		case "store":
			count(world, second);
			countStored(world, first, second);
			send({ kind: "store", key: first, json: second });
			break;
		case "yield":
			count(world, "");
			send({ kind: "yield" });
			break;
		case "call": {
			countCall(world, Number(first), third ?? "");
			const input = third === undefined ? {} : { input: third };
			send({ kind: "call", callId: Number(first), tool: second, ...input });
			break;
		}
		case "timer":
			startTimer(world, Number(first), Number(second));
			break;
		case "clear":
			clearTimeout(world.timers.get(Number(first)));
			world.timers.delete(Number(first));
			break;
		case "exit":
			world.state = "exited";
			break;
	}
}

function makeGuest(world: World): Guest {
	const { vm, message } = world;
	using host = vm.newFunction("host", (...handles) => {
		perform(
			world,
			handles.map((handle) => (vm.typeof(handle) === "string" ? vm.getString(handle) : undefined)),
		);
	});
	using make = vm.unwrapResult(vm.evalCode(GUEST_GLOBALS, "globals.js"));
	const names = JSON.stringify(message.tools.map((tool) => tool.name));
	using toolNames = vm.unwrapResult(vm.evalCode(names, "globals.js"));
	using metadata = vm.newString(JSON.stringify(message.tools));
	using stored = vm.newString(JSON.stringify(message.stored));
	using made = vm.unwrapResult(vm.callFunction(make, vm.undefined, host, toolNames, metadata, stored));
	const [settle, fire, tell] = [0, 1, 2].map((index) => vm.getProp(made, index));
	if (!settle || !fire || !tell) throw new Error("the sandbox's globals are incomplete");
	return { settle, fire, describe: tell };
}

/** Starts a script; what it does is told by `send`, `done` once. */
export function runSandbox(
	quickJs: QuickJSWASMModule,
	message: RunMessage,
	send: (message: FromWorker) => void,
): Sandbox {
	const runtime = quickJs.newRuntime();
	runtime.setMaxStackSize(STACK_BYTES);
	const vm = runtime.newContext();
	const kept = Object.entries(message.stored).map(([key, json]) => [key, key.length + json.length] as const);
	const world: World = {
		runtime,
		vm,
		message,
		send,
		timers: new Map(),
		state: "running",
		busySinceMs: performance.now(),
		busyMs: 0,
		outputBytes: 0,
		callBytes: new Map(),
		waitingBytes: 0,
		storedBytes: new Map(kept),
		storedTotal: kept.reduce((sum, [, size]) => sum + size, 0),
		guest: null,
		module: null,
	};
	runtime.setInterruptHandler(
		() =>
			world.state === "exited" || world.busyMs + performance.now() - world.busySinceMs > message.limits.cpuMs,
	);
	world.guest = makeGuest(world);
	advance(world, () => {
		const result = vm.evalCode(message.source, "exec_main.mjs", { type: "module" });
		if (result.error) return result.error;
		world.module = result.value;
		return null;
	});

	return {
		settle(callId, ok, value) {
			world.waitingBytes -= world.callBytes.get(callId) ?? 0;
			world.callBytes.delete(callId);
			advance(world, () => {
				if (world.guest === null) return null;
				using id = vm.newNumber(callId);
				using text = vm.newString(value);
				const settled = vm.callFunction(world.guest.settle, vm.undefined, id, ok ? vm.true : vm.false, text);
				if (settled.error) return settled.error;
				settled.value.dispose();
				return null;
			});
		},
		[Symbol.dispose]() {
			world.state = "over";
			for (const timer of world.timers.values()) clearTimeout(timer);
			world.module?.dispose();
			for (const handle of Object.values(world.guest ?? {})) (handle as QuickJSHandle).dispose();
			vm.dispose();
			runtime.dispose();
		},
	};
}

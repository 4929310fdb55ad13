import { AppError } from "#base/app-error.ts";

/**
 * The JSON bodies of the pty-host's protocol. Checked by hand and not by zod: the host and the thin `homie attach` load
 * nothing they can do without (idle memory, start time).
 */
export type AttachMode = "drive" | "watch";
/**
 * What is painted first. `screen`: the active screen alone, for a person's terminal. `full`: both screens and history, for
 * an emulator. `text`: plain lines. `none`: nothing, live bytes only.
 */
export type PaintKind = "screen" | "full" | "text" | "none";

export interface AttachHello {
	role: "attach";
	ticket: string;
	cols?: number;
	rows?: number;
	fromOffset?: number;
	paint: PaintKind;
}
export interface ControlHello {
	role: "control";
	secret: string;
}

/** A terminal as the host knows it. */
export interface HostTerminal {
	terminal_id: string;
	name: string;
	argv: string[];
	cwd: string;
	cols: number;
	rows: number;
	created_by: string;
	created_at_ms: number;
	pid: number;
	status: "running" | "exited";
	exit_code: number | null;
	signal: number | null;
	title: string | null;
	driver: { client: string; device: string; since_ms: number } | null;
	watchers: number;
}

export type HostEvent =
	| { event: "terminal"; terminal: HostTerminal }
	| { event: "mode"; mode: AttachMode; driver: string | null }
	| { event: "size"; cols: number; rows: number }
	| { event: "exit"; exit_code: number; signal: number | null }
	| { event: "refused"; code: string; message: string };

function invalid(what: string): never {
	throw new AppError("PROTOCOL_INVALID_FRAME", `The pty-host protocol: ${what}.`);
}

export function readText(value: Record<string, unknown>, key: string): string {
	const found = value[key];
	return typeof found === "string" ? found : invalid(`${key} is no text`);
}

export function readInt(value: Record<string, unknown>, key: string): number {
	const found = value[key];
	return typeof found === "number" && Number.isSafeInteger(found)
		? found
		: invalid(`${key} is no whole number`);
}

export function readOptionalInt(value: Record<string, unknown>, key: string): number | undefined {
	return value[key] === undefined || value[key] === null ? undefined : readInt(value, key);
}

export function readTexts(value: Record<string, unknown>, key: string): string[] {
	const found = value[key];
	if (!Array.isArray(found) || !found.every((entry) => typeof entry === "string"))
		invalid(`${key} is no list of texts`);
	return found as string[];
}

export function readObject(value: Record<string, unknown>, key: string): Record<string, unknown> {
	const found = value[key];
	if (typeof found !== "object" || found === null || Array.isArray(found)) invalid(`${key} is no object`);
	return found as Record<string, unknown>;
}

/** Highest version both ranges hold. @throws AppError PROTOCOL_VERSION. */
export function commonVersion(mine: { min: number; max: number }, theirs: Record<string, unknown>): number {
	const max = Math.min(mine.max, readInt(theirs, "max"));
	if (max < mine.min || max < readInt(theirs, "min")) {
		throw new AppError(
			"PROTOCOL_VERSION",
			`The pty-host protocol: no common version (here ${mine.min} to ${mine.max}).`,
		);
	}
	return max;
}

/** @throws AppError PROTOCOL_INVALID_FRAME. */
export function parseHostHello(value: Record<string, unknown>): AttachHello | ControlHello {
	const role = readText(value, "role");
	if (role === "control") return { role, secret: readText(value, "secret") };
	if (role !== "attach") invalid("the role is neither attach nor control");
	const hello: AttachHello = { role, ticket: readText(value, "ticket"), paint: parsePaint(value["paint"]) };
	const cols = readOptionalInt(value, "cols");
	const rows = readOptionalInt(value, "rows");
	const fromOffset = readOptionalInt(value, "from_offset");
	if (cols !== undefined && rows !== undefined) Object.assign(hello, { cols, rows });
	if (fromOffset !== undefined) hello.fromOffset = fromOffset;
	return hello;
}

function parsePaint(value: unknown): PaintKind {
	return value === "full" || value === "text" || value === "none" ? value : "screen";
}

export function parseHostTerminal(value: Record<string, unknown>): HostTerminal {
	const driver = value["driver"];
	return {
		terminal_id: readText(value, "terminal_id"),
		name: readText(value, "name"),
		argv: readTexts(value, "argv"),
		cwd: readText(value, "cwd"),
		cols: readInt(value, "cols"),
		rows: readInt(value, "rows"),
		created_by: readText(value, "created_by"),
		created_at_ms: readInt(value, "created_at_ms"),
		pid: readInt(value, "pid"),
		status: value["status"] === "exited" ? "exited" : "running",
		exit_code: readOptionalInt(value, "exit_code") ?? null,
		signal: readOptionalInt(value, "signal") ?? null,
		title: typeof value["title"] === "string" ? value["title"] : null,
		driver: driver === null || driver === undefined ? null : parseDriver(readObject(value, "driver")),
		watchers: readInt(value, "watchers"),
	};
}

function parseDriver(value: Record<string, unknown>) {
	return {
		client: readText(value, "client"),
		device: readText(value, "device"),
		since_ms: readInt(value, "since_ms"),
	};
}

/** Undefined for an event of a newer host. @throws AppError PROTOCOL_INVALID_FRAME. */
export function parseHostEvent(value: Record<string, unknown>): HostEvent | undefined {
	switch (value["event"]) {
		case "terminal":
			return { event: "terminal", terminal: parseHostTerminal(readObject(value, "terminal")) };
		case "mode":
			return {
				event: "mode",
				mode: value["mode"] === "drive" ? "drive" : "watch",
				driver: typeof value["driver"] === "string" ? value["driver"] : null,
			};
		case "size":
			return { event: "size", cols: readInt(value, "cols"), rows: readInt(value, "rows") };
		case "exit":
			return {
				event: "exit",
				exit_code: readInt(value, "exit_code"),
				signal: readOptionalInt(value, "signal") ?? null,
			};
		case "refused":
			return { event: "refused", code: readText(value, "code"), message: readText(value, "message") };
		default:
			return undefined;
	}
}

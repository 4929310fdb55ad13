import { z } from "zod";
import { defineMethod } from "../define.ts";
import { terminalSchema } from "../record.ts";

/** An id or a name. */
const terminal = z.string().min(1).max(100);
const cols = z.int().min(2).max(1000);
const rows = z.int().min(1).max(1000);
const terminalResult = z.looseObject({ terminal: terminalSchema });

export const terminalStart = defineMethod({
	name: "terminal.session.start",
	summary: "Starts a program in a new PTY of the pty-host; by default the login shell.",
	scope: "terminal.write",
	params: z.strictObject({
		name: z
			.string()
			.regex(/^[A-Za-z0-9._-]{1,64}$/)
			.optional(),
		argv: z.array(z.string().max(131_072)).min(1).max(1000).optional(),
		cwd: z.string().max(4096).optional(),
		cols: cols.default(80),
		rows: rows.default(24),
		/** Allow-listed variables of the creating client; others are dropped. */
		env: z.record(z.string(), z.string()).optional(),
	}),
	result: terminalResult,
	errors: ["PTY_SPAWN_FAILED", "HOST_UNAVAILABLE", "CONFLICT"],
	mutates: true,
});

export const terminalList = defineMethod({
	name: "terminal.session.list",
	summary: "Lists terminals: the living, and with `all` the ended.",
	scope: "terminal.read",
	params: z.strictObject({ all: z.boolean().default(false) }),
	result: z.looseObject({ terminals: z.array(terminalSchema) }),
	errors: [],
	mutates: false,
});

export const terminalAttach = defineMethod({
	name: "terminal.session.attach",
	summary:
		"Attaches: `channel` streams through this connection (a snapshot frame, then live bytes); `ticket` returns a single-use ticket for the pty-host's own socket (local clients: one hop less).",
	scope: "terminal.read",
	params: z.strictObject({
		terminal,
		via: z.enum(["channel", "ticket"]).default("channel"),
		/** `drive` types and sizes; it degrades to `watch` while another client drives, unless `takeover`. Needs terminal.write. */
		mode: z.enum(["drive", "watch"]).default("drive"),
		takeover: z.boolean().default(false),
		cols: cols.optional(),
		rows: rows.optional(),
		/** Resume: bytes the client already has; a snapshot is sent only if they are gone. */
		from_offset: z.int().min(0).optional(),
	}),
	result: z.looseObject({
		terminal: terminalSchema,
		mode: z.enum(["drive", "watch"]),
		channel: z.int().nullable(),
		ticket: z.string().nullable(),
		socket_path: z.string().nullable(),
	}),
	errors: ["TERMINAL_NOT_FOUND", "TERMINAL_CLOSED", "HOST_UNAVAILABLE", "NOT_DRIVER", "PERMISSION_DENIED"],
	mutates: true,
	perConnection: true,
});

export const terminalDetach = defineMethod({
	name: "terminal.session.detach",
	summary: "Ends a channel of this connection; the program goes on.",
	scope: "terminal.read",
	params: z.strictObject({ channel: z.int().min(0) }),
	result: z.looseObject({}),
	errors: ["NOT_FOUND"],
	mutates: true,
	connectionOnly: true,
	perConnection: true,
});

export const terminalInput = defineMethod({
	name: "terminal.session.input",
	summary: "Types text into a terminal; refused while another client drives it.",
	scope: "terminal.write",
	params: z.strictObject({
		terminal,
		data: z
			.string()
			.min(1)
			.max(1024 * 1024),
	}),
	result: z.looseObject({ bytes: z.int() }),
	errors: ["TERMINAL_NOT_FOUND", "TERMINAL_CLOSED", "NOT_DRIVER", "HOST_UNAVAILABLE"],
	mutates: true,
});

export const terminalResize = defineMethod({
	name: "terminal.session.resize",
	summary: "Sets the size in cells; only the driver may while there is one.",
	scope: "terminal.write",
	params: z.strictObject({ terminal, cols, rows }),
	result: terminalResult,
	errors: ["TERMINAL_NOT_FOUND", "TERMINAL_CLOSED", "NOT_DRIVER", "HOST_UNAVAILABLE"],
	mutates: true,
});

export const terminalAck = defineMethod({
	name: "terminal.session.ack",
	summary: "Says up to which offset a channel's bytes were consumed; opens the window again.",
	scope: "terminal.read",
	params: z.strictObject({ channel: z.int().min(0), offset: z.int().min(0) }),
	result: z.looseObject({}),
	errors: ["NOT_FOUND"],
	mutates: false,
	connectionOnly: true,
});

export const terminalPreview = defineMethod({
	name: "terminal.session.preview",
	summary: "The screen as plain text lines, without attaching.",
	scope: "terminal.read",
	params: z.strictObject({ terminal }),
	result: z.looseObject({
		terminal: terminalSchema,
		lines: z.array(z.string()),
		cursor: z.looseObject({ x: z.int(), y: z.int() }),
	}),
	errors: ["TERMINAL_NOT_FOUND", "HOST_UNAVAILABLE"],
	mutates: false,
});

export const terminalKill = defineMethod({
	name: "terminal.session.kill",
	summary: "Ends a terminal's program: SIGHUP, and SIGKILL after a grace time.",
	scope: "terminal.write",
	params: z.strictObject({ terminal }),
	result: terminalResult,
	errors: ["TERMINAL_NOT_FOUND", "HOST_UNAVAILABLE"],
	mutates: true,
});

export const terminalRename = defineMethod({
	name: "terminal.session.rename",
	summary: "Renames a terminal.",
	scope: "terminal.write",
	params: z.strictObject({ terminal, name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/) }),
	result: terminalResult,
	errors: ["TERMINAL_NOT_FOUND", "CONFLICT"],
	mutates: true,
});

export const terminalMethods = [
	terminalStart,
	terminalList,
	terminalAttach,
	terminalDetach,
	terminalInput,
	terminalResize,
	terminalAck,
	terminalPreview,
	terminalKill,
	terminalRename,
] as const;

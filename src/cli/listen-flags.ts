import { parseWhole } from "./command/option-value.ts";
import type { CommandInput, OptionDescriptor } from "./descriptor.ts";

const PORT_MAX = 65_535;

/** Where a daemon listens, where its settings do not decide. */
export interface ListenFlags {
	port?: number;
	web?: boolean;
}

/** Taken by every command that starts a daemon by its name. */
export const LISTEN_OPTIONS: readonly OptionDescriptor[] = [
	{ flags: "--no-web", summary: "listen on Unix sockets only, no TCP" },
	{ flags: "--port <n>", summary: "TCP port on 127.0.0.1 instead of the configured one" },
];

/** @throws AppError USAGE. */
export function parseListenFlags({ options }: Pick<CommandInput, "options">): ListenFlags {
	const port = parseWhole(options["port"], "--port", { min: 0, max: PORT_MAX });
	return { ...(port === undefined ? {} : { port }), ...(options["web"] === false ? { web: false } : {}) };
}

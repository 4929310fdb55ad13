import { hostname } from "node:os";
import { AppError } from "#base/app-error.ts";

/** @throws AppError USAGE unless it can be a terminal's name. */
export function parseTerminalName(name: string): string {
	if (/^[A-Za-z0-9._-]{1,64}$/.test(name)) return name;
	throw new AppError(
		"USAGE",
		`${JSON.stringify(name)} is no name for a terminal: letters, digits, dot, dash and underscore, at most 64.`,
	);
}

/** A machine and, where one was named, a terminal on it. */
export interface HomieTarget {
	machine: "local";
	terminal: string | undefined;
}

/** `local` and this machine's own name mean this machine; it is the only one until others join. */
export function isMachine(name: string): boolean {
	return name === "local" || name === hostname();
}

function assertMachine(name: string): void {
	if (!isMachine(name)) throw new AppError("MACHINE_NOT_FOUND", `There is no machine ${name}.`);
}

/** Parses `[MACHINE][:TERMINAL]`; nothing means this machine. @throws AppError MACHINE_NOT_FOUND. */
export function parseTarget(text: string | undefined): HomieTarget {
	const [machine = "", ...rest] = (text ?? "").split(":");
	if (machine !== "") assertMachine(machine);
	const terminal = rest.join(":");
	return { machine: "local", terminal: terminal === "" ? undefined : terminal };
}

/** Parses `[MACHINE:]TERMINAL`. @throws AppError MACHINE_NOT_FOUND, USAGE when no terminal is named. */
export function parseTerminal(text: string | undefined): string {
	if (text === undefined || text === "") throw new AppError("USAGE", "Name a terminal, as in local:NAME.");
	const { terminal } = text.includes(":") ? parseTarget(text) : { terminal: text };
	if (terminal === undefined) throw new AppError("USAGE", `${text} names no terminal; write local:NAME.`);
	return terminal;
}

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { AppError } from "#base/app-error.ts";

export interface Launch {
	argv: readonly string[];
	cwd: string;
	env: Readonly<Record<string, string>>;
	cols: number;
	rows: number;
}

/** execve takes no single string over this (Linux MAX_ARG_STRLEN, less its NUL). */
const MAX_STRING_BYTES = 131_071;
/** And no more than this together: a quarter of the usual 8 MiB stack limit, with room to spare. */
const MAX_TOTAL_BYTES = 1_000_000;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function refuse(why: string): never {
	throw new AppError("PTY_SPAWN_FAILED", why);
}

/** @throws AppError INVALID_PARAMS: node-pty ends the whole process on some sizes, so none but these get near it. */
export function assertSize(cols: number, rows: number): void {
	const fits = (value: number, least: number): boolean =>
		Number.isInteger(value) && value >= least && value <= 1000;
	if (!fits(cols, 2) || !fits(rows, 1))
		throw new AppError(
			"INVALID_PARAMS",
			`A terminal of ${cols} by ${rows} cells is not possible (2 to 1000 by 1 to 1000).`,
		);
}

function isRunnable(path: string): boolean {
	try {
		if (!statSync(path).isFile()) return false;
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function findProgram(name: string, { cwd, env }: Launch): string {
	if (name.includes("/")) {
		const path = resolve(cwd, name);
		return isRunnable(path) ? path : refuse(`${name} is no program that can be run.`);
	}
	for (const folder of (env["PATH"] ?? "").split(delimiter)) {
		const path = join(isAbsolute(folder) ? folder : resolve(cwd, folder), name);
		if (isRunnable(path)) return path;
	}
	return refuse(`There is no program ${name} in PATH.`);
}

/**
 * The absolute path of the program, after everything node-pty would report as text in the terminal, or die of, was ruled out.
 * @throws AppError PTY_SPAWN_FAILED, INVALID_PARAMS.
 */
export function checkLaunch(launch: Launch): string {
	assertSize(launch.cols, launch.rows);
	const strings = [
		...launch.argv,
		...Object.entries(launch.env).map(([name, value]) => `${name}=${value}`),
		launch.cwd,
	];
	if (strings.some((text) => text.includes("\0"))) refuse("An argument or variable holds a NUL byte.");
	const sizes = strings.map((text) => Buffer.byteLength(text));
	if (sizes.some((size) => size > MAX_STRING_BYTES)) refuse(`An argument is over ${MAX_STRING_BYTES} bytes.`);
	if (sizes.reduce((sum, size) => sum + size, 0) > MAX_TOTAL_BYTES)
		refuse(`The arguments are over ${MAX_TOTAL_BYTES} bytes together.`);
	if (!Object.keys(launch.env).every((name) => ENV_NAME.test(name)))
		refuse("A variable's name is not valid.");
	const [name] = launch.argv;
	if (name === undefined || name === "") refuse("No program was named.");
	try {
		if (!statSync(launch.cwd).isDirectory()) refuse(`${launch.cwd} is no folder.`);
		accessSync(launch.cwd, constants.X_OK);
	} catch (error) {
		if (error instanceof AppError) throw error;
		refuse(`The folder ${launch.cwd} cannot be entered.`);
	}
	return findProgram(name, launch);
}

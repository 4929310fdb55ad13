import { AppError } from "#base/app-error.ts";

/** Options as commander hands them over. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** The option's text; undefined when it was not given. */
export function textOption(options: Options, name: string): string | undefined {
	const value = options[name];
	return typeof value === "string" ? value : undefined;
}

/** Undefined stays undefined. @throws AppError USAGE unless it is a whole number from `min` to `max`. */
export function parseWhole(
	value: string | boolean | undefined,
	flag: string,
	{ min = 1, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number },
): number | undefined {
	if (value === undefined) return undefined;
	const number = Number(value);
	if (typeof value === "string" && /^\d+$/.test(value) && number >= min && number <= max) return number;
	const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
	throw new AppError("USAGE", `${flag} takes a whole number ${range}, not ${String(value)}.`);
}

/** Undefined stays undefined. @throws AppError USAGE unless it is a number of seconds, not negative. */
export function parseSeconds(value: string | boolean | undefined, flag: string): number | undefined {
	if (value === undefined) return undefined;
	const seconds = Number(value);
	if (typeof value !== "string" || value.trim() === "" || !Number.isFinite(seconds) || seconds < 0) {
		throw new AppError("USAGE", `${flag} takes a number of seconds, not ${String(value)}.`);
	}
	return seconds;
}

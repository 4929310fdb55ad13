import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AppError } from "#base/app-error.ts";

/** The version whose protocol this speaks (reference: recorded from codex-cli 0.169.0); an older one lacks parts of it. */
export const MIN_CODEX_VERSION = "0.169.0";
/** Long enough for a cold start from a slow disk (measured: 0.4 s in a fresh home). */
const VERSION_PATIENCE_MS = 10_000;

const run = promisify(execFile);

function parseVersion(text: string): readonly number[] | null {
	const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
	return match ? match.slice(1).map(Number) : null;
}

function isOlder(found: readonly number[], wanted: readonly number[]): boolean {
	for (const [index, part] of wanted.entries()) {
		const other = found[index] ?? 0;
		if (other !== part) return other < part;
	}
	return false;
}

export interface CodexBinaryOptions {
	/** `HOMIE_CODEX_BIN`, else `codex` on the PATH. */
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly codexHome: string;
}

/** Everything but what is ours: homes, switches and tokens of this daemon mean nothing to the program and its commands. */
export function programEnv({ env, codexHome }: CodexBinaryOptions): Record<string, string> {
	const entries = Object.entries(env).flatMap(([name, value]) =>
		value === undefined || /^(HOMIE|WEAVE)_/.test(name) ? [] : [[name, value] as const],
	);
	return { ...Object.fromEntries(entries), CODEX_HOME: codexHome };
}
/** The program and its version. @throws AppError PROVIDER_UNAVAILABLE when it is missing, broken or too old. */
export async function findCodexBinary(
	options: CodexBinaryOptions,
): Promise<{ path: string; version: string }> {
	const path = options.env["HOMIE_CODEX_BIN"] || "codex";
	const how =
		"Install it with `npm install -g @openai/codex`, name it in HOMIE_CODEX_BIN, or use the embedded loop (HOMIE_AGENT_BACKEND=embedded).";
	let said: string;
	try {
		const { stdout } = await run(path, ["--version"], {
			env: programEnv(options),
			timeout: VERSION_PATIENCE_MS,
		});
		said = stdout.trim();
	} catch (error) {
		const isMissing = (error as { code?: unknown }).code === "ENOENT";
		const why = isMissing ? "was not found" : `does not run: ${(error as Error).message.split("\n")[0]}`;
		throw new AppError("PROVIDER_UNAVAILABLE", `The codex program ${path} ${why}. ${how}`);
	}
	const version = parseVersion(said);
	const wanted = parseVersion(MIN_CODEX_VERSION) ?? [];
	if (version === null || isOlder(version, wanted))
		throw new AppError(
			"PROVIDER_UNAVAILABLE",
			`The codex program ${path} is ${said || "of an unknown version"}; ${MIN_CODEX_VERSION} or newer is needed. ${how}`,
		);
	return { path, version: version.join(".") };
}

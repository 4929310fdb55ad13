import { readdirSync, readFileSync, statSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRules, writeRule } from "./rule-text.ts";
import type { PrefixRule } from "./rules.ts";

/** The person's rules for commands: the `*.rules` of a Codex home, shared with the real Codex. */
export interface RuleBook {
	/** As the files are now; a file with a mistake counts for nothing and is told of once. */
	current(): readonly PrefixRule[];
	/** Allows a prefix for good; nothing when it is allowed already. */
	allow(prefix: readonly string[]): Promise<void>;
}

export interface RuleBookOptions {
	/** Absolute. */
	readonly codexHome: string;
	/** Hears of a file that could not be read. */
	onProblem?(file: string, message: string): void;
}

/** Files are read again when they changed, because the real Codex and the person write them too. */
export function createRuleBook({ codexHome, onProblem }: RuleBookOptions): RuleBook {
	const folder = join(codexHome, "rules");
	const read = new Map<string, { stamp: string; rules: readonly PrefixRule[] }>();
	let writing: Promise<void> = Promise.resolve();

	function rulesOf(file: string): readonly PrefixRule[] {
		try {
			const info = statSync(file);
			// Opening a pipe would wait for its other end, and the whole daemon with it.
			if (!info.isFile()) return [];
			const stamp = `${info.mtimeMs}:${info.size}:${info.ino}`;
			const known = read.get(file);
			if (known?.stamp === stamp) return known.rules;
			const parsed = parseRules(readFileSync(file, "utf8"));
			if (typeof parsed === "string") onProblem?.(file, parsed);
			const rules = typeof parsed === "string" ? [] : parsed;
			read.set(file, { stamp, rules });
			return rules;
		} catch {
			return [];
		}
	}

	function listFiles(): string[] {
		try {
			return readdirSync(folder)
				.filter((name) => name.endsWith(".rules"))
				.sort()
				.map((name) => join(folder, name));
		} catch {
			return [];
		}
	}

	async function append(prefix: readonly string[]): Promise<void> {
		const file = join(folder, "default.rules");
		const line = writeRule(prefix);
		const present = await readFile(file, "utf8").catch(() => "");
		if (present.split("\n").includes(line.trimEnd())) return;
		await mkdir(folder, { recursive: true });
		await appendFile(file, present === "" || present.endsWith("\n") ? line : `\n${line}`);
	}

	return {
		current: () => listFiles().flatMap(rulesOf),
		allow(prefix) {
			const written = writing.then(() => append(prefix));
			// One failed write must not keep the next from being tried.
			writing = written.catch(() => undefined);
			return written;
		},
	};
}

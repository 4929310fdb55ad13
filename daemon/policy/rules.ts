import { isExactText, leavesOpen } from "./wide-prefix.ts";

/** What a person laid down for commands that begin alike (Codex `prefix_rule`). */
export interface PrefixRule {
	/** For each word what it may be. */
	readonly pattern: readonly (readonly string[])[];
	readonly decision: "allow" | "prompt" | "forbidden";
	readonly justification: string | null;
}

/** What the rules say of a command as a whole; `open`: nothing that settles it, and which of its commands no rule covers. */
export type Ruling =
	| { decision: "forbidden" | "prompt"; justification: string | null; words: readonly string[] }
	| { decision: "allow" }
	| { decision: "open"; uncovered: readonly (readonly string[])[] };

const SEVERITY = { allow: 0, prompt: 1, forbidden: 2 } as const;

/** The strictest rule counts; allowed is only what is allowed in every part. */
export function ruleOn(commands: readonly (readonly string[])[], rules: readonly PrefixRule[]): Ruling {
	let strictest: { rule: PrefixRule; words: readonly string[] } | undefined;
	const uncovered: (readonly string[])[] = [];
	for (const words of commands) {
		const matching = rules.filter((rule) => matches(rule, words));
		if (matching.length === 0) uncovered.push(words);
		for (const rule of matching)
			if (strictest === undefined || SEVERITY[rule.decision] > SEVERITY[strictest.rule.decision])
				strictest = { rule, words };
	}
	if (strictest !== undefined && strictest.rule.decision !== "allow") {
		const { rule, words } = strictest;
		return {
			decision: rule.decision === "forbidden" ? "forbidden" : "prompt",
			justification: rule.justification,
			words: words.slice(0, rule.pattern.length),
		};
	}
	return strictest !== undefined && uncovered.length === 0
		? { decision: "allow" }
		: { decision: "open", uncovered };
}

function matches(rule: PrefixRule, words: readonly string[]): boolean {
	return (
		rule.pattern.length > 0 &&
		rule.pattern.length <= words.length &&
		rule.pattern.every((choices, at) => choices.includes(words[at] ?? ""))
	);
}

/**
 * The prefix that an accepting answer may allow for good: the model's own when it covers every command and is no way around
 * the rules, else the first command as it is; null where that would allow whatever comes after it.
 */
export function proposePrefix(
	asked: readonly (readonly string[])[],
	wanted: readonly string[] | null,
): readonly string[] | null {
	if (
		wanted !== null &&
		!leavesOpen(wanted) &&
		asked.every((words) => wanted.every((word, at) => words[at] === word))
	)
		return wanted;
	const first = asked[0];
	return first === undefined || (leavesOpen(first) && !isExactText(first)) ? null : first;
}

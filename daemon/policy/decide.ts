import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import { holdsProtected, isInside, isProtected, type ProtectedPaths } from "./protected.ts";
import { type PrefixRule, proposePrefix, type Ruling, ruleOn } from "./rules.ts";
import { classifyDestructive, DESTRUCTIVE_WORDS, type DestructiveClass } from "./shell/destructive.ts";
import { removesByForce } from "./shell/forced-removal.ts";
import { isKnownSafe, readsOnlyWhatItNames } from "./shell/known-safe.ts";
import { parseShell, type ShellCommand } from "./shell/parse.ts";
import { parsePlainCommands, scriptOf } from "./shell/plain.ts";

/** Everything a decision depends on; nothing else is looked at, so the same question has the same answer. */
export interface PolicyQuestion {
	readonly tool: "exec_command" | "apply_patch";
	/** The exact argv of a command; empty for a patch. */
	readonly argv: readonly string[];
	/** The shell text of a command; null for a patch. */
	readonly command: string | null;
	/** Symlinks resolved, like every path here. */
	readonly cwd: string;
	/** What the command names, or the patch writes. */
	readonly paths: readonly string[];
	/** False when `paths` may not be all. */
	readonly pathsComplete: boolean;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly sandboxAvailable: boolean;
	/** The model asks to leave the sandbox, and why. */
	readonly escalated: boolean;
	readonly justification: string | null;
	readonly workspaceRoots: readonly string[];
	/** The person's home, which is no workspace as a whole: its start-up files run outside any sandbox. */
	readonly userHome: string | null;
	readonly gitRoot: string | null;
	readonly protectedPaths: ProtectedPaths;
	/** A person accepted exactly this for the session. */
	readonly granted: boolean;
	/** The command as people are shown it; needed for texts only. */
	readonly shown?: string;
	/** The person's rules for prefixes. */
	readonly rules?: readonly PrefixRule[];
	/** The prefix that the model would like to have allowed for good. */
	readonly wantedPrefix?: readonly string[] | null;
}

export type Verdict =
	| { kind: "run"; sandbox: SandboxMode }
	/** `sandbox` is where it runs once accepted: a person saw the exact argv, so without one. */
	| {
			kind: "ask";
			sandbox: SandboxMode;
			reason: string | null;
			destructive: DestructiveClass | null;
			confirmWord: string | null;
			/** What an accepting answer may allow for good; null: nothing. */
			proposedPrefix: readonly string[] | null;
	  }
	/** `rejected`: the command was turned down as such, rather than the way it was asked for. */
	| { kind: "refuse"; text: string; rejected: boolean };

const NO_SANDBOX_REASON = "There is no sandbox on this machine, so every command is asked for.";
/** What the reference server tells its model; models know the sentence. */
const ESCALATION_UNDER_NEVER =
	"approval policy is Never; reject command — you cannot ask for escalated permissions if the approval policy is Never";

const PROMPT_UNDER_NEVER = "approval required by policy, but AskForApproval is set to Never";

/** The one decision over every command and patch (contracts.md 5): run, ask a person, or refuse. Pure. */
export function decide(question: PolicyQuestion): Verdict {
	const forbidden = [question.cwd, ...question.paths].find((path) =>
		isProtected(path, question.protectedPaths),
	);
	if (forbidden !== undefined)
		return refuse(`refused by policy: ${forbidden} is protected (credentials, or state of weave-codex)`);
	return question.tool === "apply_patch" ? decidePatch(question) : decideCommand(question);
}

function decideCommand(question: PolicyQuestion): Verdict {
	if (question.escalated && question.approvalPolicy === "never") return refuse(ESCALATION_UNDER_NEVER);
	const commands = partsOf(question);
	const ruling = ruleOn(commands, question.rules ?? []);
	const verdict = decideByRules(question, ruling) ?? decideByNature(question);
	if (verdict.kind !== "ask") return verdict;
	if (question.granted) return run("danger-full-access");
	const open = ruling.decision === "open" ? ruling.uncovered : [];
	// Where only the forced removal is asked for, what stands before it needs no rule.
	const asked = isAskedAsAWhole(question) ? open : open.filter((words) => removesByForce(quote(words)));
	return {
		...verdict,
		proposedPrefix: proposePrefix(asked.length > 0 ? asked : open, question.wantedPrefix ?? null),
	};
}

/** The commands that rules look at: each of a plain script, else the argv as one. */
function partsOf({ argv }: PolicyQuestion): readonly (readonly string[])[] {
	const script = scriptOf(argv);
	return (script === undefined ? undefined : parsePlainCommands(script)) ?? [argv];
}

function isAskedAsAWhole(question: PolicyQuestion): boolean {
	return question.escalated || question.approvalPolicy === "untrusted" || !question.sandboxAvailable;
}

function quote(words: readonly string[]): string {
	return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** What the person's own rules settle; undefined when they leave it open. */
function decideByRules(question: PolicyQuestion, ruling: Ruling): Verdict | undefined {
	const shown = `\`${question.shown ?? question.command ?? ""}\``;
	switch (ruling.decision) {
		case "open":
			return undefined;
		case "allow":
			return run("danger-full-access");
		case "forbidden": {
			const why =
				ruling.justification ?? `policy forbids commands starting with \`${ruling.words.join(" ")}\``;
			return reject(`${shown} rejected: ${why}`);
		}
		case "prompt": {
			if (question.approvalPolicy === "never") return reject(PROMPT_UNDER_NEVER);
			const why = ruling.justification === null ? " by policy" : `: ${ruling.justification}`;
			return ask(question, `${shown} requires approval${why}`);
		}
	}
}

/** What the command is, and where it would run. */
function decideByNature(question: PolicyQuestion): Verdict {
	if (removesByForce(question.command ?? "")) return decideForcedRemoval(question);
	if (question.approvalPolicy === "untrusted") return ask(question, question.justification);
	if (question.sandbox === "danger-full-access") return decideUnfenced(question);
	if (question.approvalPolicy === "never") return decideUnasked(question);
	if (question.escalated) return ask(question, question.justification);
	return question.sandboxAvailable ? run(question.sandbox) : ask(question, NO_SANDBOX_REASON);
}

function decideForcedRemoval(question: PolicyQuestion): Verdict {
	if (question.approvalPolicy !== "never") return ask(question, question.justification);
	const shown = question.shown ?? question.command ?? "";
	return reject(`\`${shown}\` rejected: rm -f style commands are not permitted. Use a safer approach`);
}

/** Policy `never`: what would need a person is refused. */
function decideUnasked(question: PolicyQuestion): Verdict {
	if (question.sandboxAvailable) return run(question.sandbox);
	if (isSafeUnsandboxed(question)) return run("danger-full-access");
	return refuse("refused by policy: there is no sandbox on this machine, and the approval policy is never");
}

/** Full access asked for by the person: no wall, and the destructive classes are still told apart. */
function decideUnfenced(question: PolicyQuestion): Verdict {
	const destructive = destructiveClass(question);
	if (destructive === null) return run("danger-full-access");
	if (question.approvalPolicy === "never")
		return refuse(`refused by policy: ${destructive} needs a person, and the approval policy is never`);
	return ask(question, question.justification);
}

function decidePatch(question: PolicyQuestion): Verdict {
	const { approvalPolicy, sandbox, granted, paths } = question;
	if (granted) return run(sandbox);
	const inside = paths.every((path) => isOpen(path, question));
	const free = sandbox === "danger-full-access" || (sandbox === "workspace-write" && inside);
	if (free && approvalPolicy !== "untrusted") return run(sandbox);
	if (approvalPolicy === "never")
		return refuse(`patch rejected: ${patchReason(sandbox)}; rejected by user approval settings`);
	return { kind: "ask", sandbox, reason: null, destructive: null, confirmWord: null, proposedPrefix: null };
}

function patchReason(sandbox: SandboxMode): string {
	return sandbox === "read-only"
		? "writing is blocked by read-only sandbox"
		: "writing outside of the project";
}

function isOpen(path: string, { workspaceRoots, userHome }: PolicyQuestion): boolean {
	return workspaceRoots.some((root) => {
		if (!isInside(path, root) || isGitState(path, root)) return false;
		return userHome === null || !isInside(userHome, root) || !isInside(path, userHome);
	});
}

/** Hooks and config below .git are run later, outside any sandbox. */
function isGitState(path: string, root: string): boolean {
	// Some disks do not tell capitals apart.
	return path.slice(root.length).toLowerCase().split("/").includes(".git");
}

/** The parsed command when it only reads. Not zsh: its `=name`, arithmetic operands and glob qualifiers run things. */
function readOnlyCommands(question: PolicyQuestion): readonly ShellCommand[] | undefined {
	const [shell, flag] = question.argv;
	if (shell === undefined || !/^(?:\/usr)?\/bin\/(?:ba|da)?sh$/.test(shell) || !/^-l?c$/.test(flag ?? ""))
		return undefined;
	const commands = question.command === null ? undefined : parseShell(question.command);
	return commands?.every(isKnownSafe) === true ? commands : undefined;
}

/** Without a wall a reading command must also stay in the workspace, and the workspace hold nothing protected. */
function isSafeUnsandboxed(question: PolicyQuestion): boolean {
	const commands = readOnlyCommands(question);
	if (commands?.every(readsOnlyWhatItNames) !== true || !question.pathsComplete) return false;
	const fenced = [question.cwd, ...question.paths];
	if (!fenced.every((path) => question.workspaceRoots.some((root) => isInside(path, root)))) return false;
	return !fenced.some((path) => holdsProtected(path, question.protectedPaths));
}

function destructiveClass(question: PolicyQuestion): DestructiveClass | null {
	return question.command === null
		? null
		: classifyDestructive(question.command, { cwd: question.cwd, gitRoot: question.gitRoot });
}

function run(sandbox: SandboxMode): Verdict {
	return { kind: "run", sandbox };
}

function refuse(text: string): Verdict {
	return { kind: "refuse", text, rejected: false };
}

function reject(text: string): Verdict {
	return { kind: "refuse", text, rejected: true };
}

function ask(question: PolicyQuestion, reason: string | null): Verdict {
	const destructive = destructiveClass(question);
	const confirmWord = destructive === null ? null : DESTRUCTIVE_WORDS[destructive];
	return {
		kind: "ask",
		sandbox: "danger-full-access",
		reason,
		destructive,
		confirmWord,
		proposedPrefix: null,
	};
}

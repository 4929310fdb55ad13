import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import { holdsProtected, isInside, isProtected, type ProtectedPaths } from "./protected.ts";
import { classifyDestructive, DESTRUCTIVE_WORDS, type DestructiveClass } from "./shell/destructive.ts";
import { isKnownSafe, readsOnlyWhatItNames } from "./shell/known-safe.ts";
import { parseShell, type ShellCommand } from "./shell/parse.ts";

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
	  }
	| { kind: "refuse"; text: string };

const NO_SANDBOX_REASON = "There is no sandbox on this machine, so every command is asked for.";
/** What the reference server tells its model; models know the sentence. */
const ESCALATION_UNDER_NEVER =
	"approval policy is Never; reject command — you cannot ask for escalated permissions if the approval policy is Never";

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
	if (question.sandbox === "danger-full-access") return decideUnfenced(question);
	if (question.granted) return run("danger-full-access");
	if (question.approvalPolicy === "never") return decideUnasked(question);
	if (question.escalated) return ask(question, question.justification);
	if (question.approvalPolicy === "on-request") {
		return question.sandboxAvailable ? run(question.sandbox) : ask(question, NO_SANDBOX_REASON);
	}
	if (question.sandboxAvailable && readOnlyCommands(question) !== undefined) return run(question.sandbox);
	return isSafeUnsandboxed(question) ? run("danger-full-access") : ask(question, null);
}

/** Policy `never`: what would need a person is refused. */
function decideUnasked(question: PolicyQuestion): Verdict {
	if (question.escalated) return refuse(ESCALATION_UNDER_NEVER);
	if (question.sandboxAvailable) return run(question.sandbox);
	if (isSafeUnsandboxed(question)) return run("danger-full-access");
	return refuse("refused by policy: there is no sandbox on this machine, and the approval policy is never");
}

/** Full access asked for by the person: no wall, and the destructive classes are still told apart. */
function decideUnfenced(question: PolicyQuestion): Verdict {
	if (question.granted) return run("danger-full-access");
	if (question.approvalPolicy === "untrusted") {
		return isSafeUnsandboxed(question) ? run("danger-full-access") : ask(question, question.justification);
	}
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
	const reason = patchReason(sandbox, inside);
	if (approvalPolicy === "never")
		return refuse(
			`patch refused by policy: ${reason ?? "it needs a person"}, and the approval policy is never`,
		);
	return { kind: "ask", sandbox, reason: inside ? null : reason, destructive: null, confirmWord: null };
}

function patchReason(sandbox: SandboxMode, inside: boolean): string | null {
	if (!inside) return "it writes outside the workspace";
	return sandbox === "read-only" ? "the workspace is read-only" : null;
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
	return { kind: "refuse", text };
}

function ask(question: PolicyQuestion, reason: string | null): Verdict {
	const destructive = destructiveClass(question);
	const confirmWord = destructive === null ? null : DESTRUCTIVE_WORDS[destructive];
	return { kind: "ask", sandbox: "danger-full-access", reason, destructive, confirmWord };
}

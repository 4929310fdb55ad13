import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import type { PromptInput } from "./section.ts";

const SANDBOX_TEXT: Readonly<Record<SandboxMode, string>> = {
	"read-only": "Commands run in a sandbox that can read files and change none. It has no network.",
	"workspace-write":
		"Commands run in a sandbox that can read files, and write in the working folder and the folder for temporary files only. `.git` stays read-only. It has no network.",
	"danger-full-access":
		"Commands run without a sandbox, with all rights of the person: take the greater care.",
};

const APPROVAL_TEXT: Readonly<Record<ApprovalPolicy, string>> = {
	untrusted:
		"The person is asked before every command that is not known to only read, and before edits outside of what the sandbox allows. Expect to wait for the answer. Prefer plain reading commands, and group what needs asking.",
	"on-request":
		"What the sandbox allows runs without asking. When a command needs more (to write elsewhere, or the network), call `exec_command` with `sandbox_permissions` set to `require_escalated` and a short question to the person in `justification`; they decide. Try within the sandbox first where that makes sense, and ask at once where it plainly cannot work.",
	never:
		"The person is never asked. What the sandbox refuses stays refused: do not request more rights, find another way, or say in your answer what could not be done and why.",
};

const DECLINED =
	"If the person declines something, do not try to reach the same end by a detour. Go on with what is possible, or ask what they would rather have.";

/** What the thread's sandbox opens beyond its mode. */
function openedText(policy: Readonly<Record<string, unknown>> | undefined): string {
	const roots: unknown = policy?.["writableRoots"];
	const folders = Array.isArray(roots) ? roots.filter((root) => typeof root === "string") : [];
	const more =
		folders.length === 0 ? "" : ` It may also write in ${folders.map((root) => `\`${root}\``).join(", ")}.`;
	return policy?.["networkAccess"] === true ? `${more} Here it has network, other than said before.` : more;
}

/** What the agent may do in this thread, for its policy and sandbox. */
export function permissionsText(input: Pick<PromptInput, "approvalPolicy" | "sandbox" | "settings">): string {
	const { approvalPolicy: policy, sandbox, settings } = input;
	const parts = [
		`Sandbox: \`${sandbox}\`. ${SANDBOX_TEXT[sandbox]}${openedText(settings?.sandbox_policy)}`,
		`Approvals: \`${policy}\`. ${APPROVAL_TEXT[policy]}`,
		...(policy === "never" ? [] : [DECLINED]),
	];
	return `<permissions instructions>\n${parts.join("\n")}\n</permissions instructions>`;
}

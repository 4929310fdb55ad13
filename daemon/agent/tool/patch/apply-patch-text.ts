import { createHash } from "node:crypto";
import type { FileChangeItem } from "#protocol/codex-item.ts";
import { decide, type Verdict } from "../../../policy/decide.ts";
import { approvalDigest } from "../../approval/digest.ts";
import type { ToolContext, ToolResult } from "../../tool.ts";
import { APPROVAL_FAILED, awaitApproval, failure, interrupted } from "../result.ts";
import { sandboxPolicyOf } from "../sandbox-policy.ts";
import { realHome, type ToolServices } from "../services.ts";
import { EMPTY_PATCH, parsePatch } from "./parse.ts";
import { itemChanges, type PlannedChange, placeOperations, planPatch, successSummary } from "./plan.ts";
import { rememberBaseline, turnDiff } from "./turn-diff.ts";
import { writeChanges } from "./write.ts";

/** What the reference server tells its model about a patch that a person refused. */
const REJECTED_TEXT = "patch rejected by user";

interface CheckedPatch {
	readonly text: string;
	readonly cwd: string;
	readonly changes: readonly PlannedChange[];
	readonly paths: readonly string[];
	readonly item: FileChangeItem;
}

/**
 * Applies a patch as a whole or not at all: it is checked against the files before anything is shown, asked or written,
 * and again after a person took time to answer.
 * @param folder where relative paths of the patch start.
 */
export async function applyPatchText(
	text: string,
	folder: string,
	context: ToolContext,
	services: ToolServices,
): Promise<ToolResult> {
	if (context.signal.aborted) return interrupted();
	if (/^\s*\*\*\* Begin Patch[^\n]*\n\*\*\* Environment ID:/.test(text))
		return failure("apply_patch environment selection is unavailable for this turn");
	const parsed = parsePatch(text);
	if (!parsed.ok) {
		const isEmpty = parsed.reason === EMPTY_PATCH;
		return failure(isEmpty ? EMPTY_PATCH : `apply_patch verification failed: ${parsed.reason}`);
	}
	const { environment } = context;
	const cwd = await environment.realPath(folder);
	const placed = await placeOperations(parsed.operations, cwd, environment);
	const paths = [
		...new Set(placed.flatMap((one) => (one.moveTo === null ? [one.path] : [one.path, one.moveTo]))),
	];
	// Decided before reading, so that not even an error tells what a protected file holds.
	const verdict = await judge(paths, cwd, context, services);
	if (verdict.kind === "refuse") return failure(verdict.text);
	const plan = await planPatch(placed, environment);
	if (!plan.ok) return failure(`apply_patch verification failed: ${plan.reason}`);
	const item: FileChangeItem = {
		type: "fileChange",
		id: context.callId,
		changes: itemChanges(plan.changes),
		status: "inProgress",
		startedAtMs: context.nowMs(),
		completedAtMs: null,
	};
	const patch: CheckedPatch = { text, cwd, changes: plan.changes, paths, item };
	await context.items.started(item);
	if (verdict.kind === "ask") {
		const refusal = await askPerson(patch, verdict, context);
		if (refusal !== null) return refusal;
	}
	return commitPatch(patch, context, services);
}

async function judge(
	paths: readonly string[],
	cwd: string,
	context: ToolContext,
	services: ToolServices,
): Promise<Verdict> {
	return decide({
		tool: "apply_patch",
		argv: [],
		command: null,
		cwd,
		paths,
		pathsComplete: true,
		approvalPolicy: context.approvalPolicy,
		sandbox: context.sandbox,
		sandboxAvailable: context.environment.sandbox.available,
		escalated: false,
		justification: null,
		workspaceRoots: [
			await context.environment.realPath(context.cwd),
			...sandboxPolicyOf(context.settings).writableRoots,
		],
		userHome: await realHome(context.environment, services),
		gitRoot: null,
		protectedPaths: services.protectedPaths,
		granted: paths.every((path) => context.sessionGrants.has(grantDigest(path))),
	});
}

/** A session grant for patches covers the file, whatever is written to it next. */
function grantDigest(path: string): string {
	return approvalDigest({ argv: null, cwd: "", envNames: [], sandbox: "session", patch: path });
}

/** Null when the person agreed. A cancelled patch gets no end of its item: the turn's end says it. */
async function askPerson(
	patch: CheckedPatch,
	verdict: Extract<Verdict, { kind: "ask" }>,
	context: ToolContext,
): Promise<ToolResult | null> {
	const outcome = await awaitApproval(context, {
		itemId: patch.item.id,
		kind: "patch",
		command: null,
		argv: null,
		cwd: patch.cwd,
		changes: patch.item.changes.map(({ path, diff }) => ({ path, diff })),
		reason: verdict.reason,
		sandbox: verdict.sandbox,
		destructive: verdict.destructive,
		confirmWord: verdict.confirmWord,
		digest: approvalDigest({
			argv: null,
			cwd: patch.cwd,
			envNames: [],
			sandbox: verdict.sandbox,
			patch: patch.text,
		}),
	});
	if (outcome === undefined) return interrupted();
	switch (outcome.decision) {
		case "accept_for_session":
			for (const path of patch.paths) context.sessionGrants.add(grantDigest(path));
			return null;
		case "accept":
			return null;
		case "decline":
			await context.items.completed({ ...patch.item, status: "declined", completedAtMs: context.nowMs() });
			return failure(outcome.failed === true ? APPROVAL_FAILED : REJECTED_TEXT);
		case "cancel":
		case "expired":
			return { output: REJECTED_TEXT, success: false, stopTurn: true };
	}
}

async function commitPatch(
	patch: CheckedPatch,
	context: ToolContext,
	services: ToolServices,
): Promise<ToolResult> {
	const { item, changes } = patch;
	const startedMs = context.nowMs();
	const files = changes.map(({ path, moveTo, before, after }) => ({
		path,
		moveTo,
		before: textDigest(before),
		after: textDigest(after),
	}));
	await context.effects.intend({ itemId: item.id, kind: "patch", detail: { cwd: patch.cwd, files } });
	const problem = context.signal.aborted
		? "the turn was interrupted"
		: await writeChanges(changes, context.environment);
	await context.effects.done(item.id, { ok: problem === null, error: problem });
	const status = problem === null ? "completed" : "failed";
	await context.items.completed({ ...item, status, completedAtMs: context.nowMs() });
	if (context.signal.aborted && problem !== null) return interrupted();
	const seconds = Number(((context.nowMs() - startedMs) / 1000).toFixed(1));
	const report = (code: number, output: string): string =>
		`Exit code: ${code}\nWall time: ${seconds} seconds\nOutput:\n${output}`;
	if (problem !== null) return failure(report(1, `${problem}\n`));
	rememberBaseline(changes, context, services);
	context.items.diff(await turnDiff(context, services));
	return { output: report(0, successSummary(changes)), success: true, stopTurn: false };
}

function textDigest(text: string | undefined): string | null {
	return text === undefined ? null : createHash("sha256").update(text).digest("hex");
}

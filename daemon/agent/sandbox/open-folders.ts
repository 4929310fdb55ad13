import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { isInside } from "../../policy/protected.ts";
import type { SandboxPlan } from "./bubblewrap.ts";
import { listGuardedPlaces } from "./git-places.ts";
import { resolveRealPath } from "./real-path.ts";

/**
 * The mounts that open the workspace, outer ones first, since a folder bound later covers what was bound below it. The
 * person's home stays read-only also when the workspace is it or lies around it: its start-up files run outside later.
 * @param privateFolders folders that were replaced by empty ones.
 */
export function openFolders(plan: SandboxPlan, privateFolders: readonly string[]): string[] {
	const { roots } = plan;
	const writable = plan.mode === "workspace-write";
	const home = homeInside(plan);
	const pins = writable ? pinnedFolders(plan, privateFolders) : [];
	const open = new Set([...roots.filter((root) => root !== "/" && existsSync(root)), ...pins]);
	if (home !== undefined && writable) open.add(home);
	const args: string[] = [];
	for (const folder of [...open].sort((a, b) => a.length - b.length))
		args.push(writable && isWritable(folder, roots, home) ? "--bind" : "--ro-bind", folder, folder);
	const covered = roots.some((root) => root !== "/" && isInside(plan.cwd, root));
	const emptied = privateFolders.some((folder) => plan.cwd !== folder && isInside(plan.cwd, folder));
	if (!covered && emptied) args.push("--ro-bind", plan.cwd, plan.cwd);
	if (!writable) return args;
	// Hooks and config in .git run outside the sandbox later, so they are not the command's to write.
	const guarded = new Set(roots.filter((root) => root !== "/").flatMap((root) => listGuardedPlaces(root)));
	for (const place of [...guarded].sort((a, b) => a.length - b.length)) {
		// Outside the roots nothing is writable anyway.
		if (roots.some((root) => isInside(place, root))) args.push("--ro-bind", place, place);
	}
	return args;
}

/** The person's home when a root is it or holds it. */
function homeInside({ home, roots }: SandboxPlan): string | undefined {
	if (home === undefined || home === "/" || !existsSync(home)) return undefined;
	const real = resolveRealPath(home);
	return roots.some((root) => isInside(real, root)) ? real : undefined;
}

/** The innermost of the roots and the home around a folder decides. */
function isWritable(folder: string, roots: readonly string[], home: string | undefined): boolean {
	if (home === undefined || !isInside(folder, home)) return true;
	return roots.some((root) => root !== home && isInside(root, home) && isInside(folder, root));
}

/**
 * The folders between an open root and what is hidden below it. Each becomes a mount of its own, which the kernel lets
 * nobody rename: else a command moves the folder around a secret away, and the next command finds it uncovered.
 */
function pinnedFolders({ hidden, roots }: SandboxPlan, privateFolders: readonly string[]): string[] {
	const pins: string[] = [];
	const places = [...hidden.folders, ...hidden.files].map((path) => resolveRealPath(path));
	for (const path of new Set(places.filter((one) => existsSync(one)))) {
		for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
			const holders = roots.filter((root) => root !== at && isInside(at, root));
			// Below "/" the private folders are empty ones, which must not come back.
			const emptied = privateFolders.some((folder) => isInside(at, folder));
			if (holders.some((root) => root !== "/" || !emptied)) pins.push(at);
		}
	}
	return pins;
}

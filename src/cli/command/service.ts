import { AppError } from "#base/app-error.ts";
import type { ServiceUnit } from "#platform/service-unit.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";

async function findUnit(context: CliContext): Promise<ServiceUnit> {
	const { serviceUnit } = await import("#platform/service-unit.ts");
	const { distEntry } = await import("#platform/package-root.ts");
	const { fileURLToPath } = await import("node:url");
	const unit = serviceUnit({
		platform: process.platform,
		env: context.env,
		node: process.execPath,
		daemon: fileURLToPath(distEntry("daemon")),
		uid: process.getuid?.() ?? 0,
	});
	if (!unit)
		throw new AppError(
			"NOT_FOUND",
			`There is no service system known for ${process.platform}. Run \`weave-codex start --foreground\` under one.`,
		);
	return unit;
}

/** The commands that did not work: where no service system runs (a container), writing the file is all that can be done. */
async function runAll(context: CliContext, commands: readonly (readonly string[])[]): Promise<string[]> {
	const { spawnSync } = await import("node:child_process");
	const failed: string[] = [];
	for (const [program = "", ...args] of commands) {
		const { status } = spawnSync(program, args, {
			env: { ...context.env },
			stdio: ["ignore", "ignore", "ignore"],
		});
		if (status !== 0) failed.push([program, ...args].join(" "));
	}
	return failed;
}

function describe(done: string, failed: readonly string[]): string {
	return failed.length === 0
		? done
		: `${done}\nThe system did not take it up; when it can, type:\n${failed.map((line) => `  ${line}`).join("\n")}`;
}

export const serviceInstallCommand = defineCommand({
	program: "weave-codex",
	name: "service install",
	summary: "Start the daemon at login: a systemd user unit, or a launchd agent on macOS.",
	description:
		"The unit names the Node and the bundle of this installation and the homes of this environment. Stopping the service leaves terminals running in the pty-host.",
	options: [{ flags: "--print", summary: "print the unit and change nothing" }],
	examples: [
		{ command: "weave-codex service install", says: "write it and start it" },
		{ command: "weave-codex service install --print", says: "look first" },
	],
	json: true,
	async run(context, { options }) {
		const unit = await findUnit(context);
		if (options["print"] === true) {
			context.print({ path: unit.path, text: unit.text }, unit.text);
			return 0;
		}
		const { mkdirSync } = await import("node:fs");
		const { dirname } = await import("node:path");
		const { writeFileAtomic } = await import("#platform/atomic-file.ts");
		mkdirSync(dirname(unit.path), { recursive: true });
		writeFileAtomic(unit.path, unit.text, 0o644);
		const failed = await runAll(context, unit.install);
		context.print(
			{ path: unit.path, active: failed.length === 0, to_do: failed },
			describe(`Wrote ${unit.path}.`, failed),
		);
		return 0;
	},
});

export const serviceUninstallCommand = defineCommand({
	program: "weave-codex",
	name: "service uninstall",
	summary: "Stop starting the daemon at login, and remove the unit.",
	options: [{ flags: "--print", summary: "print which file would go and change nothing" }],
	examples: [{ command: "weave-codex service uninstall", says: "stop the service and remove its unit" }],
	json: true,
	async run(context, { options }) {
		const unit = await findUnit(context);
		if (options["print"] === true) {
			context.print({ path: unit.path }, unit.path);
			return 0;
		}
		const { existsSync, rmSync } = await import("node:fs");
		if (!existsSync(unit.path)) {
			context.print({ path: unit.path, removed: false }, `There is no service at ${unit.path}.`);
			return 0;
		}
		const failed = await runAll(context, unit.uninstall);
		rmSync(unit.path, { force: true });
		context.print(
			{ path: unit.path, removed: true, to_do: failed },
			describe(`Removed ${unit.path}.`, failed),
		);
		return 0;
	},
});

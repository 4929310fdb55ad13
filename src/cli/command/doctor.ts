import { type CliContext, defineCommand } from "../descriptor.ts";

interface Check {
	name: string;
	state: "ok" | "warn" | "fail";
	detail: string;
	remedy: string | null;
}

/** Exports of dist/doctor.js; the command line knows the daemon's parts by their bundles only. */
interface DoctorModule {
	runDoctor(options: Pick<CliContext, "paths" | "env">): Promise<Check[]>;
}

function describe(checks: readonly Check[]): string {
	const width = Math.max(...checks.map((check) => check.name.length));
	return checks
		.map(({ name, state, detail, remedy }) => {
			const line = `${state.padEnd(4)}  ${name.padEnd(width)}  ${detail}`;
			return remedy === null ? line : `${line}\n${" ".repeat(width + 8)}${remedy}`;
		})
		.join("\n");
}

export const doctorCommand = defineCommand({
	program: "weave-codex",
	name: "doctor",
	summary: "Check everything the daemon depends on and say what to type where something is wrong.",
	description:
		"Works with and without a daemon, and changes nothing. Exits 1 when a check failed; warnings do not count.",
	examples: [
		{ command: "weave-codex doctor", says: "one line a check, the remedy below it" },
		{ command: "weave-codex doctor --json", says: "the same as JSON" },
	],
	json: true,
	async run(context) {
		const { distEntry } = await import("#platform/package-root.ts");
		const { runDoctor } = (await import(distEntry("doctor").href)) as DoctorModule;
		const checks = await runDoctor({ paths: context.paths, env: context.env });
		const failed = checks.some((check) => check.state === "fail");
		context.print({ ok: !failed, checks }, describe(checks));
		return failed ? 1 : 0;
	},
});

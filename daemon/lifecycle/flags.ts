import { AppError } from "#base/app-error.ts";

type FlagStage = "experimental" | "beta" | "stable";

interface FlagRow {
	readonly stage: FlagStage;
	readonly enabled: boolean;
	readonly summary: string;
}

/** Every feature flag, once; `doctor` and `daemon.status` list them. */
export const FLAG_TABLE = {
	record_runs: {
		stage: "experimental",
		enabled: false,
		summary: "Write every turn down in $HOMIE_HOME/recordings, one NDJSON file each; nothing deletes them.",
	},
	trace_spans: { stage: "beta", enabled: true, summary: "Keep the last 2,000 trace lines in memory." },
} as const satisfies Record<string, FlagRow>;

export type FlagName = keyof typeof FLAG_TABLE;

export interface Flags {
	isEnabled(name: FlagName): boolean;
	list(): { name: FlagName; stage: FlagStage; enabled: boolean }[];
}

/**
 * Reads `WEAVE_FLAGS`, a comma-separated list of `name` and `-name`, over the table's defaults.
 * @throws AppError CONFIG_INVALID naming an unknown flag.
 */
export function createFlags(env: Readonly<Record<string, string | undefined>>): Flags {
	const states = new Map<string, boolean>(
		Object.entries(FLAG_TABLE).map(([name, row]) => [name, row.enabled]),
	);
	for (const word of (env["WEAVE_FLAGS"] ?? "").split(",").map((part) => part.trim())) {
		if (word === "") continue;
		const name = word.replace(/^[-+]/, "");
		if (!states.has(name)) {
			throw new AppError(
				"CONFIG_INVALID",
				`WEAVE_FLAGS names ${name}, which is no flag; there are: ${[...states.keys()].join(", ")}.`,
			);
		}
		states.set(name, !word.startsWith("-"));
	}
	const names = Object.keys(FLAG_TABLE) as FlagName[];
	const isEnabled = (name: FlagName): boolean => states.get(name) ?? false;
	return {
		isEnabled,
		list: () => names.map((name) => ({ name, stage: FLAG_TABLE[name].stage, enabled: isEnabled(name) })),
	};
}

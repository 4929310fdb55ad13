import type { CommandExecutionItem, FileChangeItem } from "#protocol/codex-item.ts";
import type { Thread, WeaveMessage } from "#protocol/record.ts";
import type { Token } from "../theme/theme.ts";
import type { Step } from "./step.ts";

interface CellBase {
	/** Item id, or a made-up one; a key is shown once. */
	readonly key: string;
	/** Finished: it will not change, and may leave the live region for the scrollback. */
	readonly done: boolean;
}

/** One entry of the transcript. */
export type Cell =
	| (CellBase & { readonly kind: "header"; readonly thread: Thread })
	| (CellBase & { readonly kind: "user"; readonly text: string; readonly atMs: number | undefined })
	| (CellBase & {
			readonly kind: "agent";
			readonly name: string;
			readonly text: string;
			/** The agent's name is written once per turn. */
			readonly isNamed: boolean;
	  })
	| (CellBase & { readonly kind: "reasoning"; readonly text: string })
	| (CellBase & {
			readonly kind: "command";
			readonly item: CommandExecutionItem;
			readonly output: string;
			readonly startedAtMs: number;
	  })
	| (CellBase & { readonly kind: "patch"; readonly item: FileChangeItem })
	| (CellBase & { readonly kind: "step"; readonly step: Step })
	| (CellBase & { readonly kind: "mail"; readonly message: WeaveMessage })
	| (CellBase & {
			readonly kind: "note";
			readonly token: Token;
			readonly glyph: "none" | "done" | "failed" | "needsYou" | "idle";
			readonly lines: readonly string[];
	  })
	| (CellBase & {
			readonly kind: "detail";
			readonly title: string;
			readonly lines: readonly string[];
			/** Lines are `label   value`. */
			readonly isTable?: boolean;
	  });

export type CellOf<Kind extends Cell["kind"]> = Extract<Cell, { kind: Kind }>;

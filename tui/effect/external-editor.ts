import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SuspendTerminal } from "../component/app.tsx";
import type { Action } from "../store/action.ts";

interface EditorParts {
	readonly suspend: SuspendTerminal;
	readonly stdin: NodeJS.ReadStream;
	readonly env: Readonly<Record<string, string | undefined>>;
	dispatch(action: Action): void;
}

/** How the person's editor is called: `$VISUAL`, else `$EDITOR`, arguments included. */
export function editorCommand(env: EditorParts["env"]): string | undefined {
	return [env["VISUAL"], env["EDITOR"]].find((command) => command !== undefined && command.trim() !== "");
}

/** Runs the editor on this terminal; resolves with its exit code, null for a signal. */
function runEditor(command: string, file: string, env: EditorParts["env"]): Promise<number | null> {
	return new Promise((resolve, reject) => {
		// A shell splits what the variable holds, as git and others do; the file is an argument of its own.
		const child = spawn("/bin/sh", ["-c", `${command} "$1"`, "sh", file], {
			stdio: "inherit",
			env: { ...env },
		});
		child.on("error", reject);
		child.on("exit", (code) => resolve(code));
	});
}

/** Hands the draft to the person's own editor and takes back what it saved; whatever fails, the draft stays as it was. */
export async function editDraft(text: string, parts: EditorParts): Promise<void> {
	const { dispatch, env, stdin } = parts;
	const say = (message: string): void => dispatch({ type: "remarked", text: message, token: "attention" });
	const command = editorCommand(env);
	if (command === undefined) {
		say("no editor is set: export VISUAL or EDITOR, for example EDITOR=nano");
		return;
	}
	const folder = await mkdtemp(join(tmpdir(), "weave-codex-draft-"));
	try {
		const file = join(folder, "draft.md");
		await writeFile(file, text, { mode: 0o600 });
		let code: number | null = 0;
		await parts.suspend(async () => {
			// What is typed from now on is the editor's. The stream stops reading only when it is paused while it flows, and
			// it may flow once it has seen that Ink's listener is gone.
			await nextTurn();
			stdin.resume();
			stdin.pause();
			await nextTurn();
			code = await runEditor(command, file, env);
		});
		if (code !== 0) {
			say(`${command} ${code === null ? "was ended" : `exited with code ${code}`}; the draft is as it was`);
			return;
		}
		const edited = (await readFile(file, "utf8")).replaceAll("\r\n", "\n").replace(/\n+$/, "");
		if (edited !== text) dispatch({ type: "draft_edited", text: edited });
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

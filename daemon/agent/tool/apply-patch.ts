import { z } from "zod";
import type { ModelItem } from "../model.ts";
import { defineTool, type Tool } from "../tool.ts";
import { applyPatchText } from "./patch/apply-patch-text.ts";
import type { ToolServices } from "./services.ts";

/** The patch language as the model's decoder needs it. */
const GRAMMAR = `start: begin operation+ end
begin: "*** Begin Patch" NL
end: "*** End Patch" NL?

operation: add | remove | change
add: "*** Add File: " path NL added+
remove: "*** Delete File: " path NL
change: "*** Update File: " path NL move? hunks?

move: "*** Move to: " path NL
path: /(.+)/

added: "+" /(.*)/ NL -> line
hunks: (place | line)+ ending?
place: ("@@" | "@@ " /(.+)/) NL
line: ("+" | "-" | " ") /(.*)/ NL
ending: "*** End of File" NL

%import common.LF -> NL
`;

const SPEC: ModelItem = {
	type: "custom",
	name: "apply_patch",
	description:
		"Edits files of the workspace by a patch in the given grammar: adds, changes, moves and deletes. " +
		"The input is the bare patch, without JSON around it. Paths are relative to the workspace.",
	format: { type: "grammar", syntax: "lark", definition: GRAMMAR },
};

const wrappedSchema = z.union([
	z.looseObject({ input: z.string() }).transform((value) => value.input),
	z.looseObject({ patch: z.string() }).transform((value) => value.patch),
]);

/** Edits files by patches, checked as a whole before anything is written. */
export function createApplyPatch(services: ToolServices): Tool {
	return defineTool({
		name: "apply_patch",
		spec: SPEC,
		execute: (input, context) => applyPatchText(unwrap(input), context.cwd, context, services),
	});
}

/** Models without custom tools send the patch as a member of a JSON object. */
function unwrap(input: string): string {
	if (!input.trimStart().startsWith("{")) return input;
	try {
		const parsed = wrappedSchema.safeParse(JSON.parse(input));
		return parsed.success ? parsed.data : input;
	} catch {
		return input;
	}
}

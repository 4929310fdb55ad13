import type { ModelRequest } from "#daemon/agent/model.ts";
import type { WireTool } from "../wire/tools.ts";
import { markCache, toClaude } from "./messages.ts";
import { claudeModel, thinkingMembers } from "./models.ts";

export interface ClaudeRequestOptions {
	model: string;
	tools: readonly WireTool[];
	takesImages: boolean;
	/** Beyond the model's own limit. */
	maxOutputTokens: number | null;
}

/** Body of POST /v1/messages; equal requests give equal bytes, and the order of members is tools, system, messages. */
export function buildClaudeBody(
	request: ModelRequest,
	{ model, tools, takesImages, maxOutputTokens }: ClaudeRequestOptions,
): Record<string, unknown> {
	const known = claudeModel(model);
	// A title is not worth a thought.
	const wanted = request.kind === "background" ? "none" : request.options?.effort;
	const { thinking, effort } = thinkingMembers(known, wanted);
	const { system, messages } = toClaude(request.input, takesImages);
	const schema = request.options?.outputSchema;
	const output = {
		...(effort === undefined ? {} : { effort }),
		...(schema === undefined ? {} : { format: { type: "json_schema", schema } }),
	};
	const offered = tools.map((tool) => ({
		name: tool.wireName,
		description: tool.description,
		input_schema: tool.parameters,
	}));
	return {
		model,
		max_tokens: Math.min(known.maxOutput, maxOutputTokens ?? known.maxOutput),
		...(offered.length === 0 ? {} : { tools: markCache(offered) }),
		...(system.length === 0 ? {} : { system }),
		messages,
		...(thinking === undefined ? {} : { thinking }),
		...(Object.keys(output).length === 0 ? {} : { output_config: output }),
		stream: true,
	};
}

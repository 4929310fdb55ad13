import { resolve } from "node:path";
import { z } from "zod";
import { isProtected } from "../../policy/protected.ts";
import type { ModelItem } from "../model.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { failure } from "./result.ts";
import type { ToolServices } from "./services.ts";

const schema = z.looseObject({ path: z.string(), detail: z.string().nullish() });

/** Bigger than what model endpoints take. */
const IMAGE_LIMIT_BYTES = 20 * 1024 * 1024;

const SPEC: ModelItem = {
	type: "function",
	name: "view_image",
	description:
		"Shows you an image file of this machine. Only for images that are not in the conversation already.",
	strict: false,
	parameters: {
		type: "object",
		properties: { path: { type: "string", description: "Path of the image file." } },
		required: ["path"],
		additionalProperties: false,
	},
};

/** Puts an image of the machine before the model. */
export function createViewImage(services: ToolServices): Tool {
	async function execute(input: string, context: ToolContext): Promise<ToolResult> {
		const args = parseArguments(schema, input);
		if (isProblem(args)) return failure(args.problem);
		const detail = args.detail ?? "original";
		if (detail !== "original" && detail !== "high")
			return failure(
				`view_image.detail only supports \`high\` or \`original\`; omit \`detail\` for default high resized behavior, got \`${detail}\``,
			);
		const path = resolve(context.cwd, args.path);
		const bytes = await readImage(path, context, services);
		if (typeof bytes === "string") return failure(bytes);
		const kind = imageKind(bytes);
		if (kind === undefined) return failure("unable to process image: invalid or unsupported image data");
		const item = {
			type: "imageView" as const,
			id: context.callId,
			path,
			startedAtMs: context.nowMs(),
			completedAtMs: null,
		};
		await context.items.started(item);
		await context.items.completed({ ...item, completedAtMs: context.nowMs() });
		const url = `data:${kind};base64,${Buffer.from(bytes).toString("base64")}`;
		return {
			output: `Image ${path}`,
			content: [{ type: "input_image", image_url: url, detail }],
			success: true,
			stopTurn: false,
		};
	}
	return defineTool({ name: "view_image", spec: SPEC, execute });
}

/** The text says why there is nothing to show. */
async function readImage(
	path: string,
	{ environment }: ToolContext,
	{ protectedPaths }: ToolServices,
): Promise<Uint8Array | string> {
	if (isProtected(await environment.realPath(path), protectedPaths))
		return `refused by policy: ${path} is protected (credentials, or state of weave-codex)`;
	if (environment.readBytes === undefined) return "unable to process image: files are not at hand here";
	try {
		const bytes = await environment.readBytes(path, IMAGE_LIMIT_BYTES);
		return bytes ?? `unable to locate image at \`${path}\`: No such file or directory (os error 2)`;
	} catch (error) {
		const text = error instanceof Error ? error.message : String(error);
		return / is not a file\.$/.test(text)
			? `image path \`${path}\` is not a file`
			: `unable to read image at \`${path}\`: ${text}`;
	}
}

/** By the first bytes; names of files say nothing certain. */
function imageKind(bytes: Uint8Array): string | undefined {
	const start = Buffer.from(bytes.subarray(0, 12)).toString("latin1");
	if (start.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
	if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
	if (/^GIF8[79]a/.test(start)) return "image/gif";
	return /^RIFF[\s\S]{4}WEBP/.test(start) ? "image/webp" : undefined;
}

import { z } from "zod";

const findingSchema = z.looseObject({
	title: z.string(),
	body: z.string(),
	code_location: z.looseObject({
		absolute_file_path: z.string(),
		line_range: z.looseObject({ start: z.int(), end: z.int() }),
	}),
});
const outputSchema = z.looseObject({
	findings: z.array(findingSchema),
	overall_explanation: z.string(),
});
type ReviewOutput = z.infer<typeof outputSchema>;

function parse(text: string): ReviewOutput | null {
	try {
		return outputSchema.parse(JSON.parse(text));
	} catch {
		return null;
	}
}

/** The reviewer's JSON, alone or with words around it; null when there is none that can be read. */
function findOutput(text: string): ReviewOutput | null {
	const whole = parse(text);
	if (whole !== null) return whole;
	const start = text.indexOf("{");
	const end = text.lastIndexOf("}");
	return start < 0 || end <= start ? null : parse(text.slice(start, end + 1));
}

function findingLines({ title, body, code_location: place }: ReviewOutput["findings"][number]): string[] {
	const { start, end } = place.line_range;
	const lines = body === "" ? [] : body.split("\n").map((line) => `  ${line}`);
	return ["", `- ${title} — ${place.absolute_file_path}:${start}-${end}`, ...lines];
}

/** What clients are shown of a review that brought nothing. */
export const NO_REVIEW = "Reviewer failed to output a response.";

/** A review as clients show it: the explanation, then each finding with its place; text that is no JSON stays as it is. */
export function renderReview(text: string): string {
	const output = findOutput(text);
	if (output === null) return text.trim() === "" ? NO_REVIEW : text.trim();
	const { findings } = output;
	const heading = findings.length > 1 ? "Full review comments:" : "Review comment:";
	const comments = findings.length === 0 ? "" : [heading, ...findings.flatMap(findingLines)].join("\n");
	const sections = [output.overall_explanation.trim(), comments].filter((section) => section !== "");
	return sections.length === 0 ? NO_REVIEW : sections.join("\n\n");
}

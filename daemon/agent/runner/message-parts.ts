import { AppError } from "#base/app-error.ts";
import type { UserInput } from "#protocol/codex-item.ts";

/** A message as the store keeps it: its text, and its parts where they say more than that. */
interface MessageParts {
	text: string;
	/** JSON of the parts; null when one plain text is all. */
	content: string | null;
}

function isPlain(part: UserInput): boolean {
	const elements = part["text_elements"];
	const known = Object.keys(part).every((name) => ["type", "text", "text_elements"].includes(name));
	return part.type === "text" && known && (elements === undefined || JSON.stringify(elements) === "[]");
}

/** As Codex shows it: a text part always says which of its stretches are elements. */
function completed(part: UserInput): UserInput {
	return part.type === "text"
		? { ...part, text: part.text ?? "", text_elements: part["text_elements"] ?? [] }
		: part;
}

/** @throws AppError INVALID_PARAMS for a message without parts. */
export function toMessageParts(input: readonly UserInput[]): MessageParts {
	const [first] = input;
	if (first === undefined) throw new AppError("INVALID_PARAMS", "A message has at least one part.");
	const text = input.flatMap((part) => (part.type === "text" ? [part.text ?? ""] : [])).join("\n");
	if (input.length === 1 && isPlain(first)) return { text, content: null };
	return { text, content: JSON.stringify(input.map(completed)) };
}

import { AppError } from "#base/app-error.ts";

/** Longest agent name, in characters. */
const NAME_MAX = 64;
/** Control characters would let a name paint a terminal. */
const CONTROL = /\p{Cc}/u;

/** Short, easily told apart when read aloud; a suffix is added when all are taken. */
const PLEASANT = [
	"amber",
	"aspen",
	"basil",
	"birch",
	"briar",
	"cedar",
	"clover",
	"coral",
	"daisy",
	"delta",
	"ember",
	"fern",
	"flint",
	"garnet",
	"ginger",
	"hazel",
	"heron",
	"indigo",
	"iris",
	"ivy",
	"jasper",
	"juniper",
	"kestrel",
	"lark",
	"laurel",
	"linden",
	"lotus",
	"maple",
	"mica",
	"olive",
	"onyx",
	"opal",
	"otter",
	"pearl",
	"pepper",
	"poppy",
	"quartz",
	"quill",
	"raven",
	"robin",
	"rowan",
	"saffron",
	"sage",
	"sorrel",
	"thistle",
	"tulip",
	"willow",
	"wren",
] as const;

/** The form in which two names are the same name. */
export function nameKey(name: string): string {
	return name.normalize("NFKC").toLowerCase();
}

/** Trims a name. @throws AppError INVALID_PARAMS when it is blank, over 64 characters or holds control characters. */
export function parseName(name: string): string {
	const trimmed = name.trim();
	if (trimmed === "" || trimmed.length > NAME_MAX || CONTROL.test(trimmed)) {
		throw new AppError("INVALID_PARAMS", `A name has 1 to ${NAME_MAX} characters and no control characters.`);
	}
	return trimmed;
}

/** The first of `name`, `name-2`, `name-3` ... that is not taken; never over 64 characters. */
export function freeVariant(name: string, isTaken: (candidate: string) => boolean): string {
	if (!isTaken(name)) return name;
	for (let number = 2; ; number += 1) {
		const suffix = `-${number}`;
		const candidate = `${name.slice(0, NAME_MAX - suffix.length)}${suffix}`;
		if (!isTaken(candidate)) return candidate;
	}
}

/** A free name for an agent that was given none; the same `seed` proposes the same name. */
export function pleasantName(seed: string, isTaken: (candidate: string) => boolean): string {
	let start = 0;
	for (const character of seed) start = (start * 31 + (character.codePointAt(0) ?? 0)) % PLEASANT.length;
	for (let step = 0; step < PLEASANT.length; step += 1) {
		const candidate = PLEASANT[(start + step) % PLEASANT.length] ?? "agent";
		if (!isTaken(candidate)) return candidate;
	}
	return freeVariant(PLEASANT[start] ?? "agent", isTaken);
}

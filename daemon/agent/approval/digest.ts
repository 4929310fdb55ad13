import { createHash } from "node:crypto";

/** What an approval is bound to. Names of variables only: values may be secret, and the record is readable. */
export interface DigestInput {
	readonly argv: readonly string[] | null;
	readonly cwd: string;
	readonly envNames: readonly string[];
	readonly sandbox: string;
	readonly patch: string | null;
}

/** SHA-256 in hex over the canonical JSON of exactly what would happen; equal inputs, in any order of names, are equal. */
export function approvalDigest(input: DigestInput): string {
	const canonical = canonicalJson({ ...input, envNames: [...input.envNames].sort() });
	return createHash("sha256").update(canonical).digest("hex");
}

/** JSON with members in order of their names and no blanks, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(",")}]`;
	if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
	const members = Object.entries(value)
		.filter(([, member]) => member !== undefined)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
	return `{${members.join(",")}}`;
}

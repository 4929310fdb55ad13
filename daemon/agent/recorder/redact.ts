import { isSecretName, redactSecrets } from "#daemon/telemetry/redact.ts";
import type { RecordedFact } from "./port.ts";

export { redactSecrets };

function redactValue(value: unknown, name: string): unknown {
	if (typeof value === "string") return isSecretName(name) ? "[redacted]" : redactSecrets(value);
	if (Array.isArray(value)) return value.map((one) => redactValue(one, name));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redactValue(one, key)]));
}

/** The fact without secrets, whole otherwise: unlike a log line, a recording must not be cut. */
export function redactDeep(fact: RecordedFact): RecordedFact {
	const clean = Object.entries(fact).map(([key, value]) => [key, redactValue(value, key)]);
	return { ...Object.fromEntries(clean), type: fact.type };
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { describeProviderContract } from "./provider-contract.ts";
import { chatWire, claudeWire, copilotWire, responsesWire } from "./wires.ts";

const folders: string[] = [];
afterEach(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
	const made = mkdtempSync(join(tmpdir(), "weave-wire-"));
	folders.push(made);
	return made;
}

for (const wire of [responsesWire, claudeWire, chatWire, copilotWire]) describeProviderContract(wire, folder);

/** A piece of an answer in plan mode: what is said, or a line of the plan; `open` begins a plan block. */
export type PlanPiece = { kind: "text" | "plan"; text: string } | { kind: "open" };

const OPEN = "<proposed_plan>";
const CLOSE = "</proposed_plan>";

/** Cuts streamed text as it comes: a tag counts only alone on its line, so the start of a line may have to wait. */
export interface PlanText {
	take(delta: string): PlanPiece[];
	/** What still waited. */
	end(): PlanPiece[];
}

export function createPlanText(): PlanText {
	let inPlan = false;
	let held = "";
	let decided = false;

	const said = (text: string): PlanPiece => ({ kind: inPlan ? "plan" : "text", text });

	function line(text: string): PlanPiece[] {
		if (text.trim() !== (inPlan ? CLOSE : OPEN)) return text === "" ? [] : [said(text)];
		inPlan = !inPlan;
		return inPlan ? [{ kind: "open" }] : [];
	}

	function mayBeTag(text: string): boolean {
		const tag = inPlan ? CLOSE : OPEN;
		const start = text.trimStart();
		return tag.startsWith(start) || (start.startsWith(tag) && start.slice(tag.length).trim() === "");
	}

	function piece(text: string): PlanPiece[] {
		const ends = text.endsWith("\n");
		if (decided) {
			decided = !ends;
			return [said(text)];
		}
		held += text;
		if (!ends && mayBeTag(held)) return [];
		const whole = held;
		held = "";
		decided = !ends;
		return ends ? line(whole) : [said(whole)];
	}

	return {
		take: (delta) => (delta.match(/[^\n]*\n|[^\n]+/g) ?? []).flatMap(piece),
		end() {
			const rest = held;
			held = "";
			return line(rest);
		},
	};
}

/** A whole answer in its two parts; of several plans the last counts, and without one it is null. */
export function splitPlan(text: string): { text: string; plan: string | null } {
	const cut = createPlanText();
	let rest = "";
	let plan: string | null = null;
	for (const piece of [...cut.take(text), ...cut.end()]) {
		if (piece.kind === "open") plan = "";
		else if (piece.kind === "plan") plan += piece.text;
		else rest += piece.text;
	}
	return { text: rest, plan };
}

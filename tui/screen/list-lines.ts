import { SLASH_COMMANDS } from "../command/index.ts";
import { chordLabel, DEFAULT_KEYMAP } from "../keymap/default-keymap.ts";
import { panelIndex, panelRows } from "../store/panel.ts";
import { type Popup, popupIndex } from "../store/popup.ts";
import type { Panel, PanelRow, State } from "../store/state.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { padCells, truncateCells, widthCells } from "../text/width.ts";
import { wrapText } from "../text/wrap.ts";
import { fitLine, lineWidth, span, spreadLine } from "../theme/line.ts";
import type { Line, Token } from "../theme/theme.ts";
import { NARROW, type View } from "./view.ts";

/** Rows of a popup inside its frame. */
const POPUP_ROWS = 8;

/** The part of a list that is shown, with the selected row in it. */
function windowOf(count: number, selected: number, rows: number): { from: number; to: number } {
	const from = Math.max(0, Math.min(selected - Math.floor(rows / 2), count - rows));
	return { from, to: Math.min(count, from + rows) };
}

function popupRows(popup: Popup, view: View): Line[] {
	const names = popup.items.map((item) => widthCells(item.name));
	const column = Math.min(20, Math.max(8, ...names)) + 2;
	if (popup.kind === "command") {
		return popup.items.map((item) => [
			span(padCells(`/${item.name}`, column + 1)),
			span(item.summary, "muted"),
		]);
	}
	return popup.items.map((agent): Line => {
		const glyph =
			agent.status === "needs_you"
				? view.glyphs.needsYou
				: agent.status === "working"
					? view.glyphs.working
					: view.glyphs.idle;
		const word = agent.status === "needs_you" ? "needs you" : agent.status;
		const mail = agent.mailbox_length > 0 ? ` ${view.glyphs.dot} ${agent.mailbox_length} in queue` : "";
		return [
			span(`${glyph} `),
			span(padCells(sanitizeLine(agent.name), column)),
			span(`${word}${mail}`, "muted"),
		];
	});
}

/** The box under the composer, at most `maxRows` high; without room for a frame it has none. */
export function popupLines(state: State, popup: Popup, view: View, maxRows: number): Line[] {
	const { box } = view.glyphs;
	const selected = popupIndex(state, popup);
	const isFramed = maxRows >= 5 && view.width >= 30;
	const rows = Math.max(1, Math.min(POPUP_ROWS, isFramed ? maxRows - 2 : maxRows));
	const { from, to } = windowOf(popup.items.length, selected, rows);
	const all = popupRows(popup, view);
	const inner = Math.min(view.width - 8, Math.max(24, ...all.map(lineWidth)) + 2);
	const lines = all.slice(from, to).map((line, index): Line => {
		const isSelected = from + index === selected;
		const fitted = fitLine(line, inner - 2, view.glyphs.ellipsis);
		const padded = [...fitted, span(" ".repeat(Math.max(0, inner - 2 - lineWidth(fitted))))];
		return isSelected ? padded.map((part) => ({ ...part, token: "accent" as Token, bold: true })) : padded;
	});
	const mark = (index: number): Line[number] =>
		span(from + index === selected ? `${view.glyphs.prompt} ` : "  ", "accent");
	if (!isFramed)
		return lines.map(
			(line, index): Line => fitLine([span("  "), mark(index), ...line], view.width, view.glyphs.ellipsis),
		);
	const edge = box.across.repeat(inner + 2);
	return [
		[span(`   ${box.topLeft}${edge}${box.topRight}`, "muted")],
		...lines.map(
			(line, index): Line => [
				span(`   ${box.down}`, "muted"),
				span(" "),
				mark(index),
				...line,
				span(" "),
				span(` ${box.down}`.slice(1), "muted"),
			],
		),
		[span(`   ${box.bottomLeft}${edge}${box.bottomRight}`, "muted")],
	];
}

const TITLE: Readonly<Record<Panel["kind"], string>> = {
	help: "help",
	threads: "conversations",
	agents: "agents",
	terminals: "terminals",
	models: "models",
};
const ENTER_SAYS: Readonly<Record<Panel["kind"], string>> = {
	help: "up, down · esc close",
	threads: "enter open · esc close · type to filter",
	agents: "enter write to it · esc close · type to filter",
	terminals: "enter attach · esc close · type to filter",
	models: "enter choose · esc close · type to filter",
};
const NOTHING: Readonly<Record<Panel["kind"], string>> = {
	help: "",
	threads: "no other conversation yet",
	agents: "no agent yet: the first message makes one",
	terminals: "no terminal yet: /attach opens one",
	models: "no model here: the offline agent needs none",
};

function rowGlyph(row: PanelRow, view: View): Line[number] {
	if (row.glyph === "none") return span("");
	const token: Token =
		row.glyph === "needsYou"
			? "attention"
			: row.glyph === "failed"
				? "bad"
				: row.glyph === "working"
					? "accent"
					: "muted";
	return span(`${view.glyphs[row.glyph]} `, token);
}

function helpEntries(): [string, string][] {
	const keys = [
		...DEFAULT_KEYMAP.composer,
		...DEFAULT_KEYMAP.working,
		...DEFAULT_KEYMAP.global,
		...DEFAULT_KEYMAP.empty,
		...DEFAULT_KEYMAP.approval_waiting,
		...DEFAULT_KEYMAP.approval,
	];
	return [
		...SLASH_COMMANDS.map((command): [string, string] => [
			`/${command.name}${command.argument ? ` ${command.argument}` : ""}`,
			command.summary,
		]),
		["#name text", "send work to another agent (also @name)"],
		["!command", "run a command with the offline agent"],
		...keys.flatMap(({ chord, help }): [string, string][] =>
			help === undefined ? [] : [[chordLabel(chord), help]],
		),
	];
}

/** Cells of the names in help. */
const HELP_COLUMN = 20;

function helpRows(view: View): Line[] {
	const column = view.width < NARROW ? 4 : HELP_COLUMN;
	return helpEntries().flatMap(([name, text]): Line[] => {
		const rows = wrapText(text, view.width - column - 4);
		if (column === HELP_COLUMN)
			return rows.map(
				(row, index): Line => [span(padCells(index === 0 ? name : "", column)), span(row, "muted")],
			);
		return [[span(name)], ...rows.map((row): Line => [span(" ".repeat(column)), span(row, "muted")])];
	});
}

/** An open panel, at most `maxRows` high. */
export function panelLines(state: State, panel: Panel, view: View, maxRows: number): Line[] {
	const filter = panel.filter === "" ? "" : `  / ${panel.filter}`;
	const says = ENTER_SAYS[panel.kind].replaceAll("·", view.glyphs.dot);
	const title = spreadLine(
		[span(` ${TITLE[panel.kind]}`, "text", true), span(filter, "accent")],
		[span(says, "muted"), span(" ")],
		view.width,
		view.glyphs.ellipsis,
	);
	const room = Math.max(1, maxRows - 1);
	if (panel.kind === "help") {
		const rows = helpRows(view);
		const from = Math.min(panel.selected, Math.max(0, rows.length - room));
		return [
			title,
			...rows
				.slice(from, from + room)
				.map((row): Line => fitLine([span("   "), ...row], view.width - 1, view.glyphs.ellipsis)),
		];
	}
	const rows = panelRows(state);
	if (rows.length === 0)
		return [
			title,
			[span(`   ${panel.isLoading ? `asking${view.glyphs.ellipsis}` : NOTHING[panel.kind]}`, "muted")],
		];
	const selected = panelIndex(state);
	const { from, to } = windowOf(rows.length, selected, room);
	const column = Math.min(20, Math.max(6, ...rows.map((row) => widthCells(row.name))));
	const lines = rows.slice(from, to).map((row, index): Line => {
		const isSelected = from + index === selected;
		const name = padCells(truncateCells(row.name, column), column);
		const left: Line = [
			span(isSelected ? ` ${view.glyphs.prompt} ` : "   ", "accent"),
			rowGlyph(row, view),
			span(`${name}  `, isSelected ? "accent" : "text", isSelected),
			span(row.text, isSelected ? "text" : "muted"),
		];
		return spreadLine(
			left,
			row.right === "" ? [] : [span(row.right, "muted"), span(" ")],
			view.width,
			view.glyphs.ellipsis,
		);
	});
	return [title, ...lines];
}

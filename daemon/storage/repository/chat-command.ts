import type { WriteCommand } from "../store.ts";
import { answerApprovalWrite, askApprovalWrite } from "./chat-approval.ts";
import { cancelTurnWrite, endTurnWrite, recoverWrite } from "./chat-end.ts";
import { deliverWrite, sendMessageWrite, steerWrite } from "./chat-message.ts";
import {
	archiveThreadWrite,
	createThreadWrite,
	renameThreadWrite,
	resumeThreadWrite,
	updateSettingsWrite,
} from "./chat-thread.ts";
import { saveStepsWrite } from "./chat-turn.ts";

/** The chat aggregate's writes, for the writer thread. */
export const CHAT_COMMANDS = [
	createThreadWrite,
	updateSettingsWrite,
	renameThreadWrite,
	archiveThreadWrite,
	resumeThreadWrite,
	sendMessageWrite,
	steerWrite,
	deliverWrite,
	saveStepsWrite,
	endTurnWrite,
	cancelTurnWrite,
	askApprovalWrite,
	answerApprovalWrite,
	recoverWrite,
] as readonly WriteCommand[];

import type { WriteCommand } from "../store.ts";
import { answerApprovalWrite, askApprovalWrite, expireApprovalWrite } from "./chat-approval.ts";
import { deleteThreadWrite } from "./chat-delete.ts";
import { cancelTurnWrite, endTurnWrite, recoverWrite } from "./chat-end.ts";
import { forkThreadWrite } from "./chat-fork.ts";
import { deliverWrite, sendMessageWrite, steerWrite } from "./chat-message.ts";
import { rollbackWrite } from "./chat-rollback.ts";
import { injectItemsWrite, openShellWrite, openTaskWrite } from "./chat-task.ts";
import {
	archiveThreadWrite,
	createThreadWrite,
	noteProviderThreadWrite,
	renameThreadWrite,
	resumeThreadWrite,
	suggestTitleWrite,
	updateSettingsWrite,
} from "./chat-thread.ts";
import { saveStepsWrite } from "./chat-turn.ts";

/** The chat aggregate's writes, for the writer thread. */
export const CHAT_COMMANDS = [
	createThreadWrite,
	updateSettingsWrite,
	renameThreadWrite,
	noteProviderThreadWrite,
	suggestTitleWrite,
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
	expireApprovalWrite,
	openTaskWrite,
	openShellWrite,
	injectItemsWrite,
	forkThreadWrite,
	rollbackWrite,
	deleteThreadWrite,
	recoverWrite,
] as readonly WriteCommand[];

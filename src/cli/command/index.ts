import type { CommandDescriptor } from "../descriptor.ts";
import { accountCommand } from "./account.ts";
import { agentListCommand } from "./agent-list.ts";
import { agentRemoveCommand } from "./agent-remove.ts";
import { agentRenameCommand } from "./agent-rename.ts";
import { apiSchemaCommand } from "./api.ts";
import { appServerCommand } from "./app-server.ts";
import { budgetCommand } from "./budget.ts";
import { callCommand } from "./call.ts";
import { chatAnswerCommand } from "./chat-answer.ts";
import { chatApprovalsCommand } from "./chat-approvals.ts";
import { chatApproveCommand } from "./chat-approve.ts";
import { chatArchiveCommand } from "./chat-archive.ts";
import { chatCancelCommand } from "./chat-cancel.ts";
import { chatCompactCommand } from "./chat-compact.ts";
import { chatDeclineCommand } from "./chat-decline.ts";
import { chatDeleteCommand } from "./chat-delete.ts";
import { chatExportCommand } from "./chat-export.ts";
import { chatForkCommand } from "./chat-fork.ts";
import { chatImportCommand } from "./chat-import.ts";
import { chatListCommand } from "./chat-list.ts";
import { chatQuestionsCommand } from "./chat-questions.ts";
import { chatReadCommand } from "./chat-read.ts";
import { chatRenameCommand } from "./chat-rename.ts";
import { chatResumeCommand } from "./chat-resume.ts";
import { chatReviewCommand } from "./chat-review.ts";
import { chatRollbackCommand } from "./chat-rollback.ts";
import { chatSendCommand } from "./chat-send.ts";
import { chatShellCommand } from "./chat-shell.ts";
import { completionCommand, createCompleteCommands } from "./completion.ts";
import { configGetCommand, configPathCommand, configSetCommand } from "./config.ts";
import { doctorCommand } from "./doctor.ts";
import { execCommand } from "./exec.ts";
import { homieAttachCommand } from "./homie-attach.ts";
import { homieKillCommand } from "./homie-kill.ts";
import { homieLsCommand } from "./homie-ls.ts";
import { homieMachinesCommand } from "./homie-machines.ts";
import { homieNewCommand } from "./homie-new.ts";
import { homiePreviewCommand } from "./homie-preview.ts";
import { homieRenameCommand } from "./homie-rename.ts";
import { homieSendCommand } from "./homie-send.ts";
import { inboxCommand } from "./inbox.ts";
import { loginCommand } from "./login.ts";
import { logoutCommand } from "./logout.ts";
import { logsCommand } from "./logs.ts";
import { modelsCommand } from "./models.ts";
import { restartCommand } from "./restart.ts";
import { sendCommand } from "./send.ts";
import { serviceInstallCommand, serviceUninstallCommand } from "./service.ts";
import { sessionCloseCommand } from "./session-close.ts";
import { sessionCreateCommand } from "./session-create.ts";
import { sessionListCommand } from "./session-list.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { subscribeCommand } from "./subscribe.ts";
import { tailCommand } from "./tail.ts";
import { rootCommand, tuiCommand } from "./tui.ts";

/** Every command of both programs, in the order of help and man pages. */
export const COMMANDS: readonly CommandDescriptor[] = [
	rootCommand,
	tuiCommand,
	startCommand,
	stopCommand,
	restartCommand,
	statusCommand,
	logsCommand,
	doctorCommand,
	serviceInstallCommand,
	serviceUninstallCommand,
	execCommand,
	appServerCommand,
	chatListCommand,
	chatReadCommand,
	chatSendCommand,
	chatCancelCommand,
	chatArchiveCommand,
	chatRenameCommand,
	chatResumeCommand,
	chatForkCommand,
	chatImportCommand,
	chatExportCommand,
	chatCompactCommand,
	chatReviewCommand,
	chatRollbackCommand,
	chatShellCommand,
	chatDeleteCommand,
	chatApprovalsCommand,
	chatApproveCommand,
	chatDeclineCommand,
	chatQuestionsCommand,
	chatAnswerCommand,
	loginCommand,
	logoutCommand,
	accountCommand,
	modelsCommand,
	budgetCommand,
	sessionListCommand,
	sessionCreateCommand,
	sessionCloseCommand,
	agentListCommand,
	agentRenameCommand,
	agentRemoveCommand,
	sendCommand,
	inboxCommand,
	tailCommand,
	subscribeCommand,
	callCommand,
	apiSchemaCommand,
	configGetCommand,
	configSetCommand,
	configPathCommand,
	completionCommand,
	homieMachinesCommand,
	homieLsCommand,
	homieNewCommand,
	homieAttachCommand,
	homieSendCommand,
	homiePreviewCommand,
	homieKillCommand,
	homieRenameCommand,
	...createCompleteCommands(() => COMMANDS),
];

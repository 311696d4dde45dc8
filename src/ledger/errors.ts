/** Errors of the ledger room. */
import { defineErrors } from '../common/index.ts';

export const ledgerErrors = defineErrors({
  LEDGER_REFUSED: {
    blame: 'self',
    cause: (d: { call: string; reason: string }) => `the contract refused "${d.call}": ${d.reason}`,
    remedy: 'Read the reason: the rule it names is in contracts/README.md. Often another member was faster and nothing is to be done.',
  },
  LEDGER_UNREACHABLE: {
    blame: 'ledger',
    cause: (d: { url: string; why: string }) => `no answer from the ledger at ${d.url}: ${d.why}`,
    remedy: 'Check that the ledger runs and that its address, port and certificate in the configuration are right.',
  },
  LEDGER_TOKEN_REFUSED: {
    blame: 'operator',
    cause: (d: { url: string }) => `the ledger at ${d.url} does not accept this member's token`,
    remedy: 'Ask the operator of the ledger for your token and put it into the token file.',
  },
  LEDGER_RPC_ERROR: {
    blame: 'ledger',
    cause: (d: { method: string; code: number; message: string; data?: string }) => `the ledger answered "${d.method}" with error ${d.code}: ${d.message}`,
    remedy: 'Check that the address is that of an EVM JSON-RPC node of your consortium.',
  },
  LEDGER_BAD_ANSWER: {
    blame: 'ledger',
    cause: (d: { method: string; what: string }) => `the ledger's answer to "${d.method}" is not understood: ${d.what}`,
    remedy: 'Check that the address is that of an EVM JSON-RPC node of your consortium.',
  },
  LEDGER_WRONG_CHAIN: {
    blame: 'operator',
    cause: (d: { url: string; expected: number; found: number }) => `the ledger at ${d.url} has chain id ${d.found}, expected ${d.expected}`,
    remedy: 'Point the configuration at the ledger of your consortium, or correct the chain id.',
  },
  LEDGER_WRONG_CONTRACT: {
    blame: 'operator',
    cause: (d: { contract: string; address: string; expected: string; found: string }) =>
      `at ${d.address} there is not the "${d.contract}" contract of this version: runtime code SHA-256 ${d.found}, expected ${d.expected}`,
    remedy: 'Check the contract address, and that all members run the same version of Schwarm.',
  },
  LEDGER_REORGANISED: {
    blame: 'ledger',
    cause: (d: { block: number; expected: string; found: string }) => `block ${d.block} was ${d.expected} and is now ${d.found}`,
    remedy: 'The chain was replaced or rolled back. Ask its operators; then let the peer read it again from its start.',
  },
  LEDGER_BUSY: {
    blame: 'self',
    cause: (d: { queued: number }) => `${d.queued} transactions of this account wait already`,
    remedy: 'Wait until the ledger answers again.',
  },
  LEDGER_LOST_TRANSACTION: {
    blame: 'ledger',
    cause: (d: { transaction: string; afterMs: number }) => `transaction ${d.transaction} is in no block after ${d.afterMs} ms`,
    remedy: 'Check that the ledger makes blocks; the peer sends again what is still wanted.',
  },
  LEDGER_KEY_UNREADABLE: {
    blame: 'operator',
    cause: (d: { file: string; why: string }) => `the account key ${d.file} cannot be used: ${d.why}`,
    remedy: 'Restore the key file from its backup; with another key this member is somebody else.',
  },
  LEDGER_KEY_EXISTS: {
    blame: 'operator',
    cause: (d: { file: string }) => `there is an account key at ${d.file} already`,
    remedy: 'Use it, or move it away first. It is never overwritten.',
  },
  LEDGER_BAD_NAME: {
    blame: 'operator',
    cause: (d: { what: string; found: string; shape: string }) => `not a ${d.what}: "${d.found}" (expected ${d.shape})`,
    remedy: 'Choose another one.',
  },
  LEDGER_ENGINE_MISSING: {
    blame: 'operator',
    cause: (d: { package: string; platform: string }) => `the ledger engine ${d.package} is not installed for ${d.platform}`,
    remedy: 'Run "npm ci" without --omit=optional on Linux or macOS (x64 or arm64, glibc 2.35 or newer), or use a ledger that runs elsewhere.',
  },
  LEDGER_ENGINE_FAILED: {
    blame: 'self',
    cause: (d: { why: string }) => `the embedded ledger engine does not run: ${d.why}`,
    remedy: 'Look at the log for what the engine said; free memory and disk, then start again. No confirmed transaction is lost.',
  },
  LEDGER_REPLAY_DIFFERS: {
    blame: 'operator',
    cause: (d: { block: number; stored: string; replayed: string }) => `block ${d.block} was confirmed as ${d.stored}, but its replay gives ${d.replayed}`,
    remedy:
      'The stored ledger was changed or the engine is another version. Nothing was overwritten: restore the folder from a backup or install the former version.',
  },
  LEDGER_STORE_DAMAGED: {
    blame: 'operator',
    cause: (d: { file: string; what: string }) => `the stored ledger ${d.file} is damaged: ${d.what}`,
    remedy: 'Restore the folder from a backup. Nothing was overwritten.',
  },
  LEDGER_STORE_FAILED: {
    blame: 'operator',
    cause: (d: { file: string; why: string }) => `the ledger cannot be written to ${d.file}: ${d.why}`,
    remedy: 'Free disk space or correct the permissions, then start again. What was confirmed is safe.',
  },
  LEDGER_FOLDER_IN_USE: {
    blame: 'operator',
    cause: (d: { folder: string; pid: number }) => `process ${d.pid} serves the ledger in ${d.folder} already`,
    remedy: 'Use the ledger that runs, stop it, or choose another folder.',
  },
  LEDGER_FOLDER_OF_OTHER_CHAIN: {
    blame: 'operator',
    cause: (d: { folder: string; expected: number; found: number }) => `the folder ${d.folder} holds the chain ${d.found}, not ${d.expected}`,
    remedy: 'Choose the chain id of the folder or another folder.',
  },
  LEDGER_PORT_IN_USE: {
    blame: 'operator',
    cause: (d: { host: string; port: number; why: string }) => `cannot listen on ${d.host}:${d.port}: ${d.why}`,
    remedy: 'Stop what uses the port, or choose another one (0 takes any that is free).',
  },
  LEDGER_UNSAFE_HOST: {
    blame: 'operator',
    cause: (d: { host: string; missing: string }) => `the ledger would listen on ${d.host}, beyond this machine, without ${d.missing}`,
    remedy: 'Give a certificate with its key and one token per member, or listen on 127.0.0.1.',
  },
  LEDGER_BAD_TOKENS: {
    blame: 'operator',
    cause: (d: { what: string }) => `the tokens cannot be used: ${d.what}`,
    remedy: 'Give each member a name and an own random token of at least 32 characters.',
  },
});

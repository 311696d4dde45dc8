/**
 * peer: the running institution.
 *
 * Owns putting the parts together (`createPeer`), the journal and every other durable thing, the driver that feeds round machines and performs
 * what they want, and a member's own data sets, studies and runs. Does not own: rules (`round`), arithmetic (`aggregation`), bytes on lines (`network`).
 * Main path: `peer.ts` follows the ledger → `runs.ts` → `driver.ts` (preview, store, adopt) → `performer.ts` → `custody.ts`.
 */

export type { CellResult, ModelResult } from '../aggregation/index.ts';
export { readRecord, writeDummyData } from '../dataset/index.ts';
export { auditSentences, exposureOf, isTraining, readStudy, type StatisticsManifest } from '../study/index.ts';
export type { Approved, HalfApproved } from './approvals.ts';
export {
  type AuditResult,
  auditOpening,
  createAuditKey,
  exportRunFacts,
  openSealedRecord,
  type RunFactsDocument,
  readRunFacts,
  runFactsOf,
} from './audit.ts';
export { type ChainSummary, readChain } from './chain.ts';
export { systemClock } from './clock.ts';
export { type ConfigChoices, type ConsortiumFile, type PeerConfig, readConfig, readConsortium } from './config.ts';
export type { FactLine, ProposalView, RoundView, RunView, StudyView } from './consortium.ts';
export type { CellPlace, Counted } from './counted.ts';
export {
  checkEnrolment,
  type Founding,
  foundConsortium,
  type LedgerOffer,
  newStudyFolder,
  packStudyFolder,
  readEnrolment,
  serveEmbeddedLedger,
} from './founding.ts';
export { createHome, homeFiles, loadIdentity, loadLedgerToken, runFolder, type SignedEnrolment } from './home.ts';
export { createLogger, type LogLevel } from './logging.ts';
export type { RoundFigures } from './next-state.ts';
export type { OwnFigures } from './own-figures.ts';
export { createPeer, type Membership, Peer, type PeerParts, type PeerStatus } from './peer.ts';
export { type PersonProof, Persons } from './persons.ts';
export { probe } from './probe.ts';
export type { OwnReport, RunStatus, Waiting } from './run-views.ts';
export { ActionLog } from './store/actions.ts';
export { readIfThere, writeWhole } from './store/files.ts';
export { type Approval, checkModel, type StudyDetail } from './studies.ts';

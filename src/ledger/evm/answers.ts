/** The parts of a node's answers that Schwarm reads, checked before use; everything else in them is ignored. */
import { z } from 'zod';
import { ledgerErrors } from '../errors.ts';

const quantity = z
  .string()
  .regex(/^0x[0-9a-f]{1,13}$/i)
  .transform(Number);
const word = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i)
  .transform((text) => text.toLowerCase());
const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/i)
  .transform((text) => text.toLowerCase());
const hexBytes = z.string().regex(/^0x([0-9a-f]{2})*$/i);

/** `QUANTITY` of the JSON-RPC specification, up to 2^52. */
export const quantityAnswer = quantity;
export const hexAnswer = hexBytes;
export const addressAnswer = address;

/** Head of a block. */
export const blockAnswer = z.object({ number: quantity, hash: word, parentHash: word, timestamp: quantity });
export type BlockAnswer = z.infer<typeof blockAnswer>;

/** One event; `blockTimestamp` is given by newer nodes only. */
export const logAnswer = z.object({
  address,
  topics: z.array(word).max(4),
  data: hexBytes,
  blockNumber: quantity,
  blockHash: word,
  transactionHash: word,
  logIndex: quantity,
  blockTimestamp: quantity.nullish(),
});
export type LogAnswer = z.infer<typeof logAnswer>;

/** What became of a transaction. */
export const receiptAnswer = z.object({
  status: quantity,
  blockNumber: quantity,
  transactionHash: word,
  contractAddress: address.nullish(),
  gasUsed: quantity,
  logs: z.array(logAnswer),
});
export type ReceiptAnswer = z.infer<typeof receiptAnswer>;

/** The answer in the shape of `schema`. Throws LEDGER_BAD_ANSWER. */
export function parseAnswer<T>(schema: z.ZodType<T>, method: string, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw ledgerErrors.LEDGER_BAD_ANSWER({
    method,
    what: parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('; ')
      .slice(0, 300),
  });
}

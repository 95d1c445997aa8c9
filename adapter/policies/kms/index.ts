import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import { checkAnswers } from './check-answers.ts';
import type { KmsSection } from './config.ts';
import { decryptCache } from './decrypt-cache.ts';
import { masterKey } from './master-key.ts';
import { schemes } from './schemes.ts';

/** The policies of kms, outermost first: docs/kms.md, "What stays on the host". */
export function kmsPolicies(section: KmsSection, tools?: PolicyTools): readonly Policy[] {
  return [
    masterKey({
      scheme: schemes[section.scheme],
      warn: (message) => tools?.log.warn(message, { function: tools.functionName }),
    }),
    decryptCache(section.decryptCache),
    breaker({ tools }),
    limit(),
    deadline(),
    retry({ tools }),
    checkAnswers(),
  ];
}

import { UnreachableError } from './https/send.ts';

/** Why a platform's API did not say what is deployed. */
export type ControlPlaneProblem = 'unreachable' | 'throttled' | 'forbidden';

/**
 * UNREACHABLE, in one of three messages: the API of a platform cannot be reached, throttles, or forbids to look.
 * Nothing new is accepted then; what was verified before serves on.
 */
export class ControlPlaneError extends UnreachableError {
  readonly problem: ControlPlaneProblem;

  constructor(
    problem: ControlPlaneProblem,
    parts: {
      /** Whose API: `AWS`. */
      readonly platform: string;
      /** `the Lambda API`. */
      readonly api: string;
      /** What it said, of safe characters: the name of its error or a code of the network. */
      readonly detail: string;
      /** What follows: `so the code of version 7 of office@live is not proved yet`. */
      readonly effect: string;
      /** What was to be asked, and when. */
      readonly expected: string;
      /** What mends each of the three. */
      readonly remedies: Readonly<Record<ControlPlaneProblem, string>>;
      readonly cause: unknown;
    },
  ) {
    const { platform, api, detail, effect, expected, remedies, cause } = parts;
    const happened = {
      unreachable: `${api} cannot be reached`,
      throttled: `${platform} throttles ${api}`,
      forbidden: `${platform} forbids to look at the function`,
    }[problem];
    super(`${happened} (${detail}), ${effect}`, true, cause, { expected, remedy: remedies[problem] });
    this.problem = problem;
  }
}

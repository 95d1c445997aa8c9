import { eventsearcher } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

/** Finds nothing. */
export default eventsearcher<object>({
  searchFsEvents({ username }) {
    misbehave(username);
    return [];
  },
  searchProviderEvents: () => [],
  searchLogEvents: () => [],
});

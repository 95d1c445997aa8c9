import { metadata } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

/** Knows one time. */
export default metadata<object>({
  setModificationTime: () => undefined,
  getModificationTime({ path }) {
    misbehave(path.slice(1));
    return 1n;
  },
  getModificationTimes: () => ({}),
  removeMetadata: () => undefined,
  getFolders: () => [],
});
